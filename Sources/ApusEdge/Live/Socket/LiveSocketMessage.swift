import ApusFaults
import ApusJSON

/// A message of a client of `/live/v1` (`docs/live.md`, "Many at once").
enum LiveSocketMessage: Equatable {
    struct Follow: Equatable {
        var id: String
        var url: String
        /// The cursor that was heard last.
        var last: String?
        var profile: String?
        /// For this follow only.
        var token: String?
    }

    /// nil: anonymous.
    case authenticate(token: String?)
    case follow(Follow)
    case unfollow(id: String)
    case ping

    /// Why a message is none, with the `id` that it had.
    struct Malformed: Error {
        var id: String?
        var reason: String
    }

    /// Longest `id`, in bytes.
    static let longestID = 128

    init(_ bytes: [UInt8]) throws(Malformed) {
        guard let object = (try? JSONReader.read(bytes))?.object else {
            throw Malformed(reason: "It must be a JSON object.")
        }
        let id = object["id"]?.text
        guard let type = object["type"]?.text else {
            throw Malformed(id: id, reason: "'type' is missing.")
        }
        switch type {
        case "ping": self = .ping
        case "auth":
            switch object["token"] {
            case .string(let token)?: self = .authenticate(token: token)
            case .null?: self = .authenticate(token: nil)
            default: throw Malformed(id: id, reason: "'token' must be a text or null.")
            }
        case "follow": self = .follow(try Self.follow(object, id: try Self.id(object)))
        case "unfollow": self = .unfollow(id: try Self.id(object))
        default: throw Malformed(id: id, reason: "There is no such 'type'.")
        }
    }

    // MARK: - Non public

    private static func id(_ object: JSONObject) throws(Malformed) -> String {
        guard let id = object["id"]?.text, (1...longestID).contains(id.utf8.count) else {
            throw Malformed(reason: "'id' must be a text of 1 to \(longestID) bytes.")
        }
        return id
    }

    private static func follow(_ object: JSONObject, id: String) throws(Malformed) -> Follow {
        guard let url = object["url"]?.text else {
            throw Malformed(id: id, reason: "'url' must be a text.")
        }
        return Follow(
            id: id, url: url, last: try optional("last", object, id),
            profile: try optional("profile", object, id), token: try optional("token", object, id))
    }

    private static func optional(
        _ name: String, _ object: JSONObject, _ id: String
    ) throws(Malformed) -> String? {
        switch object[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw Malformed(id: id, reason: "'\(name)' must be a text.")
        }
    }
}

/// Why a message of a client was refused.
enum LiveSocketFault {
    static func malformed(_ reason: String) -> Fault {
        Fault(
            code: "APUS527", kind: .invalid, message: "The message cannot be understood.", details: reason,
            hint: "Messages of /live/v1 are in docs/live.md.")
    }

    static func taken(_ id: String) -> Fault {
        Fault(
            code: "APUS528", kind: .conflict, message: "This id follows a read already.",
            hint: "Take another, or unfollow it and wait for the answer.")
    }

    static func tooManyFollows(_ limit: Int) -> Fault {
        Fault(
            code: "APUS529", kind: .rateLimited, message: "The connection follows as many reads as it may.",
            details: "The limit is \(limit).", hint: "Unfollow some, or raise live-max-follows.")
    }

    static func tooManyMessages(_ limit: Int) -> Fault {
        Fault(
            code: "APUS530", kind: .rateLimited, message: "Too many messages in a second.",
            details: "The limit is \(limit).", hint: "Connect again later, or raise live-max-messages.")
    }

    static func notBelow(_ prefix: String) -> Fault {
        Fault(
            code: "APUS404", kind: .notFound, message: "Nothing can be followed at this path.",
            hint: "Reads of tables and views can, with the path of their GET: \(prefix)/…")
    }
}

import ApusFaults
import ApusJSON
import ApusREST

/// Words what a client of `/live/v1` is told: JSON objects with the members `type`, `id`, `cursor` and `data`, as far as
/// they apply.
enum LiveSocketText {
    /// nil for what is not told: that the connection lives, WebSocket shows itself.
    static func event(_ event: LiveEvent, of id: String) -> [UInt8]? {
        switch event {
        case .snapshot(let cursor, let rows): message("snapshot", id: id, cursor: cursor, rows)
        case .changes(let cursor, let changes): message("changes", id: id, cursor: cursor, changes)
        case .resumed(let cursor): message("resumed", id: id, cursor: cursor, Array("{}".utf8))
        case .end(let end): message("end", id: id, end.json)
        case .pulse: nil
        }
    }

    /// A refusal, in the words of the data API.
    static func error(_ fault: Fault, id: String?, isVerbose: Bool) -> [UInt8] {
        message("error", id: id, FaultResponse.body(fault, isVerbose: isVerbose))
    }

    static func authenticated(role: String, expires: Int64?) -> [UInt8] {
        let data: JSONObject = [
            "role": .string(role), "expires": expires.map { .number(String($0)) } ?? .null,
        ]
        return message("authenticated", JSONValue.object(data).bytes)
    }

    static func unfollowed(_ id: String) -> [UInt8] { message("unfollowed", id: id) }

    static let pong = message("pong")

    private static func message(
        _ type: String, id: String? = nil, cursor: String? = nil, _ data: [UInt8] = []
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + 128)
        bytes += Array("{\"type\":\"\(type)\"".utf8)
        if let id {
            bytes += Array(",\"id\":".utf8)
            appendJSONString(id, to: &bytes)
        }
        if let cursor { bytes += Array(",\"cursor\":\"\(cursor)\"".utf8) }
        if !data.isEmpty {
            bytes += Array(",\"data\":".utf8)
            bytes += data
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

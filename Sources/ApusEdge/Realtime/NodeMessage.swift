import ApusJSON
import ApusRealtime

/// What nodes tell each other about channels.
enum NodeMessage: Sendable {
    case broadcast(TopicKey, Broadcast)
    case presence(PresenceNews)
    /// Something may have been lost.
    case interrupted
}

/// What a node says of the members that it has itself.
enum PresenceNews: Sendable {
    /// Tracks on this topic; replaces what the member tracked before.
    case track(node: String, TopicKey, member: UInt64, PresenceLedger.Entry)
    case untrack(node: String, TopicKey, member: UInt64)
    /// Sent now and then, so that others notice when a node is gone; also before everything that it has.
    case alive(node: String, tellsAfresh: Bool)
    /// Everybody shall say what they have.
    case ask(node: String)
    /// The node stops.
    case gone(node: String)
}

extension NodeMessage {
    /// One line of JSON, then the payload as it is. nil for what does not travel.
    var bytes: [UInt8]? {
        switch self {
        case .broadcast(let key, let broadcast):
            let isBinary: Bool = if case .binary = broadcast.payload { true } else { false }
            let payload: ArraySlice<UInt8> =
                switch broadcast.payload {
                case .json(let bytes), .binary(let bytes): bytes
                }
            let head: JSONObject = [
                "k": .string("b"), "t": .string(key.name), "p": .bool(key.isPrivate),
                "e": .string(broadcast.event), "f": .bool(broadcast.form == .user), "x": .bool(isBinary),
            ]
            return JSONValue.object(head).bytes + [0x0A] + payload
        case .presence(let news): return news.bytes
        case .interrupted: return nil
        }
    }

    /// nil for what no version of ours has written.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: 0x0A),
            let head = (try? JSONReader.read(Array(bytes[..<end])))?.object, let kind = head["k"]?.text
        else { return nil }
        let payload = bytes[(end + 1)...]
        let key = TopicKey(name: head["t"]?.text ?? "", isPrivate: head["p"] == .bool(true))
        if kind == "b" {
            let form: Broadcast.Form = head["f"] == .bool(true) ? .user : .text
            self = .broadcast(
                key,
                Broadcast(
                    event: head["e"]?.text ?? "",
                    payload: head["x"] == .bool(true) ? .binary(payload) : .json(payload), form: form))
            return
        }
        guard let news = PresenceNews(kind, head, key, payload) else { return nil }
        self = .presence(news)
    }
}

extension PresenceNews {
    fileprivate var bytes: [UInt8] {
        var payload: [UInt8] = []
        var head: JSONObject
        switch self {
        case .track(let node, let key, let member, let entry):
            head = Self.head("t", node, key, member)
            head["r"] = .string(entry.reference)
            head["y"] = .string(entry.key)
            payload = entry.payload
        case .untrack(let node, let key, let member): head = Self.head("u", node, key, member)
        case .alive(let node, let tellsAfresh):
            head = ["k": .string("a"), "n": .string(node), "w": .bool(tellsAfresh)]
        case .ask(let node): head = ["k": .string("q"), "n": .string(node)]
        case .gone(let node): head = ["k": .string("g"), "n": .string(node)]
        }
        return JSONValue.object(head).bytes + [0x0A] + payload
    }

    private static func head(_ kind: String, _ node: String, _ key: TopicKey, _ member: UInt64) -> JSONObject
    {
        [
            "k": .string(kind), "n": .string(node), "t": .string(key.name), "p": .bool(key.isPrivate),
            "m": .string(String(member)),
        ]
    }

    fileprivate init?(_ kind: String, _ head: JSONObject, _ key: TopicKey, _ payload: ArraySlice<UInt8>) {
        guard let node = head["n"]?.text else { return nil }
        let member = head["m"]?.text.flatMap { UInt64($0) }
        switch kind {
        case "t":
            guard let member, let reference = head["r"]?.text, let name = head["y"]?.text else { return nil }
            self = .track(
                node: node, key, member: member,
                .init(reference: reference, key: name, payload: Array(payload)))
        case "u":
            guard let member else { return nil }
            self = .untrack(node: node, key, member: member)
        case "a": self = .alive(node: node, tellsAfresh: head["w"] == .bool(true))
        case "q": self = .ask(node: node)
        case "g": self = .gone(node: node)
        default: return nil
        }
    }
}

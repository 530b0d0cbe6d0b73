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
///
/// A node numbers what it says: each `track` and `untrack` is one more than the one before. Whoever misses a number asks
/// for everything, so that whatever is lost on the way heals by the next sign of life.
enum PresenceNews: Sendable {
    /// Tracks on this topic; replaces what the member tracked before.
    case track(node: String, number: UInt64, TopicKey, member: UInt64, PresenceLedger.Entry)
    case untrack(node: String, number: UInt64, TopicKey, member: UInt64)
    /// Sent now and then, so that others notice when a node is gone, or something of it was lost.
    case alive(node: String, number: UInt64)
    /// Everything that the node has follows, up to ``told(node:number:)``.
    case tells(node: String)
    case told(node: String, number: UInt64)
    /// The node `of`, or everybody, shall say what they have.
    case ask(node: String, of: String?)
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
        case .track(let node, let number, let key, let member, let entry):
            head = Self.head("t", node, number, key, member)
            head["r"] = .string(entry.reference)
            head["y"] = .string(entry.key)
            payload = entry.payload
        case .untrack(let node, let number, let key, let member):
            head = Self.head("u", node, number, key, member)
        case .alive(let node, let number): head = Self.head("a", node, number)
        case .tells(let node): head = Self.head("w", node)
        case .told(let node, let number): head = Self.head("d", node, number)
        case .ask(let node, let other):
            head = Self.head("q", node)
            if let other { head["o"] = .string(other) }
        case .gone(let node): head = Self.head("g", node)
        }
        return JSONValue.object(head).bytes + [0x0A] + payload
    }

    private static func head(_ kind: String, _ node: String, _ number: UInt64? = nil) -> JSONObject {
        var head: JSONObject = ["k": .string(kind), "n": .string(node)]
        if let number { head["s"] = .string(String(number)) }
        return head
    }

    private static func head(
        _ kind: String, _ node: String, _ number: UInt64, _ key: TopicKey, _ member: UInt64
    ) -> JSONObject {
        var head = head(kind, node, number)
        head["t"] = .string(key.name)
        head["p"] = .bool(key.isPrivate)
        head["m"] = .string(String(member))
        return head
    }

    fileprivate init?(_ kind: String, _ head: JSONObject, _ key: TopicKey, _ payload: ArraySlice<UInt8>) {
        guard let node = head["n"]?.text else { return nil }
        let number = head["s"]?.text.flatMap { UInt64($0) }
        let member = head["m"]?.text.flatMap { UInt64($0) }
        switch (kind, number) {
        case ("t", let number?):
            guard let member, let reference = head["r"]?.text, let name = head["y"]?.text else { return nil }
            self = .track(
                node: node, number: number, key, member: member,
                .init(reference: reference, key: name, payload: Array(payload)))
        case ("u", let number?):
            guard let member else { return nil }
            self = .untrack(node: node, number: number, key, member: member)
        case ("a", let number?): self = .alive(node: node, number: number)
        case ("w", _): self = .tells(node: node)
        case ("d", let number?): self = .told(node: node, number: number)
        case ("q", _): self = .ask(node: node, of: head["o"]?.text)
        case ("g", _): self = .gone(node: node)
        default: return nil
        }
    }
}

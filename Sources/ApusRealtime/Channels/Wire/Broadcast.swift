import ApusJSON

/// One broadcast on its way to all members of a topic.
package struct Broadcast: Sendable {
    /// Where it came from, which says in what form it reaches version 2.
    package enum Form: Sendable {
        /// Pushed as text: goes on as text.
        case text
        /// Of a kind 3 frame, of HTTP or of the database: goes on as kind 4.
        case user
    }

    package var event: String
    package var payload: BroadcastPayload
    package var form: Form
    /// Of the row in `realtime.messages`; nil for what was never stored.
    package var id: String?
    /// Whether it is told again to somebody who joined later.
    package var isReplayed: Bool

    package init(
        event: String, payload: BroadcastPayload, form: Form, id: String? = nil, isReplayed: Bool = false
    ) {
        self.event = event
        self.payload = payload
        self.form = form
        self.id = id
        self.isReplayed = isReplayed
    }

    /// As members that speak `version` get it: text or binary. nil for version 1 and bytes that are not JSON, which
    /// it cannot carry.
    package func frame(_ version: ChannelVersion, topic: String) -> (bytes: [UInt8], isBinary: Bool)? {
        if version == .two {
            let isFramed: Bool = if case .binary = payload { true } else { form == .user }
            if isFramed,
                let frame = ServerFrames.broadcast(topic: topic, event: event, meta: meta, payload: payload)
            {
                return (frame, true)
            }
        }
        guard case .json(let json) = payload else { return nil }
        var body = Array(#"{"event":"#.utf8)
        appendJSONString(event, to: &body)
        if !meta.isEmpty { body += Array(#","meta":"#.utf8) + meta }
        body += Array(#","payload":"#.utf8)
        body += json
        body += Array(#","type":"broadcast"}"#.utf8)
        return (ServerFrames.text(version, topic: topic, event: "broadcast", payload: body), false)
    }

    /// Empty when there is nothing to say.
    private var meta: [UInt8] {
        var object = JSONObject()
        if let id { object["id"] = .string(id) }
        if isReplayed { object["replayed"] = .bool(true) }
        return object.members.isEmpty ? [] : JSONValue.object(object).bytes
    }
}

package import ApusJSON

/// What a client says.
package struct ClientMessage: Sendable {
    /// What it is about.
    package enum Content: Sendable {
        /// The payload, and where it stands in the message's bytes, so that it can be passed on as it is.
        case json(JSONValue, raw: ArraySlice<UInt8>)
        /// A broadcast of version 2's own frame: the event's name and the payload apart.
        case broadcast(event: String, payload: BroadcastPayload)
    }

    /// The `ref` of the join that the message belongs to.
    package var joinRef: String?
    /// Named by the reply; nil when none is wanted.
    package var ref: String?
    package var topic: String
    package var event: String
    package var content: Content

    /// The payload as an object; empty when it is something else.
    package var object: JSONObject {
        if case .json(let value, _) = content { value.object ?? JSONObject() } else { JSONObject() }
    }
}

/// The payload of a broadcast, never parsed further than needed.
package enum BroadcastPayload: Sendable, Equatable {
    /// JSON text.
    case json(ArraySlice<UInt8>)
    case binary(ArraySlice<UInt8>)

    package var count: Int {
        switch self {
        case .json(let bytes), .binary(let bytes): bytes.count
        }
    }
}

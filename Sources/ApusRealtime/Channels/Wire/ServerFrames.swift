package import ApusJSON

/// Writes what the server says, in both versions of Phoenix's serialization.
package enum ServerFrames {
    /// A text message.
    ///
    /// - Parameters:
    ///   - ref: of the request that this answers; nil for what the server says on its own.
    ///   - payload: JSON.
    package static func text(
        _ version: ChannelVersion, topic: String, event: String, ref: String? = nil, joinRef: String? = nil,
        payload: some Collection<UInt8>
    ) -> [UInt8] {
        var frame = opening(version, topic: topic, event: event, ref: ref, joinRef: joinRef)
        frame.reserveCapacity(frame.count + payload.count + 64)
        frame += payload
        frame += closing(version, topic: topic, ref: ref)
        return frame
    }

    /// What stands before the payload; for messages whose payload is put together elsewhere.
    package static func opening(
        _ version: ChannelVersion, topic: String, event: String, ref: String? = nil, joinRef: String? = nil
    ) -> [UInt8] {
        var frame: [UInt8] = []
        switch version {
        case .one:
            frame += Array(#"{"event":"#.utf8)
            appendJSONString(event, to: &frame)
            frame += Array(#","payload":"#.utf8)
        case .two:
            frame.append(UInt8(ascii: "["))
            append(joinRef, to: &frame)
            frame.append(UInt8(ascii: ","))
            append(ref, to: &frame)
            frame.append(UInt8(ascii: ","))
            appendJSONString(topic, to: &frame)
            frame.append(UInt8(ascii: ","))
            appendJSONString(event, to: &frame)
            frame.append(UInt8(ascii: ","))
        }
        return frame
    }

    /// What stands behind the payload.
    package static func closing(_ version: ChannelVersion, topic: String, ref: String? = nil) -> [UInt8] {
        guard version == .one else { return [UInt8(ascii: "]")] }
        var frame = Array(#","ref":"#.utf8)
        append(ref, to: &frame)
        frame += Array(#","topic":"#.utf8)
        appendJSONString(topic, to: &frame)
        frame.append(UInt8(ascii: "}"))
        return frame
    }

    /// The answer to a request: `phx_reply`.
    package static func reply(
        _ version: ChannelVersion, to message: ClientMessage, isOK: Bool, response: JSONValue
    ) -> [UInt8] {
        let payload = JSONValue.object(["status": .string(isOK ? "ok" : "error"), "response": response])
        return text(
            version, topic: message.topic, event: "phx_reply", ref: message.ref,
            joinRef: message.joinRef ?? message.ref, payload: payload.bytes)
    }

    /// A broadcast as a binary frame of version 2, kind 4; nil when a name is too long for its byte of size.
    package static func broadcast(
        topic: String, event: String, meta: [UInt8], payload: BroadcastPayload
    ) -> [UInt8]? {
        let (topic, event) = (Array(topic.utf8), Array(event.utf8))
        guard let topicSize = UInt8(exactly: topic.count), let eventSize = UInt8(exactly: event.count),
            let metaSize = UInt8(exactly: meta.count)
        else { return nil }
        let (encoding, bytes): (UInt8, ArraySlice<UInt8>) =
            switch payload {
            case .binary(let bytes): (0, bytes)
            case .json(let bytes): (1, bytes)
            }
        return [4, topicSize, eventSize, metaSize, encoding] + topic + event + meta + bytes
    }

    private static func append(_ text: String?, to bytes: inout [UInt8]) {
        if let text { appendJSONString(text, to: &bytes) } else { bytes += Array("null".utf8) }
    }
}

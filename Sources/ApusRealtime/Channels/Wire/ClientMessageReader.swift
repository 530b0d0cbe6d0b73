import ApusJSON

/// Reads what clients send, in both versions of Phoenix's serialization.
package enum ClientMessageReader {
    /// The message is not of the protocol.
    package struct Malformed: Error {}

    /// Topics and events are kept and compared; nobody needs longer ones.
    private static let longestName = 1_024

    /// A text frame: an object in version 1, `[join_ref, ref, topic, event, payload]` in version 2.
    package static func read(
        text bytes: [UInt8], version: ChannelVersion
    ) throws(Malformed) -> ClientMessage {
        let value: JSONValue
        do { value = try JSONReader.read(bytes) } catch { throw Malformed() }
        return switch version {
        case .one: try readObject(value, bytes)
        case .two: try readArray(value, bytes)
        }
    }

    /// A binary frame of version 2: kind 0 is a push, kind 3 a broadcast. Sizes come first, one byte each.
    package static func read(binary bytes: [UInt8]) throws(Malformed) -> ClientMessage {
        var reader = SizedReader(bytes)
        switch try reader.byte() {
        case 0:
            let sizes = try reader.bytes(4)
            let (joinRef, ref) = (try reader.optionalText(sizes[0]), try reader.optionalText(sizes[1]))
            let (topic, event) = (try reader.text(sizes[2]), try reader.text(sizes[3]))
            return ClientMessage(
                joinRef: joinRef, ref: ref, topic: topic, event: event,
                content: .broadcast(event: event, payload: .binary(reader.rest)))
        case 3:
            let sizes = try reader.bytes(6)
            let (joinRef, ref) = (try reader.optionalText(sizes[0]), try reader.optionalText(sizes[1]))
            let (topic, event) = (try reader.text(sizes[2]), try reader.text(sizes[3]))
            // Metadata of the client's own is not passed on.
            _ = try reader.text(sizes[4])
            let payload = reader.rest
            if sizes[5] == 1 {
                guard (try? JSONReader.read(Array(payload))) != nil else { throw Malformed() }
            }
            return ClientMessage(
                joinRef: joinRef, ref: ref, topic: topic, event: "broadcast",
                content: .broadcast(event: event, payload: sizes[5] == 1 ? .json(payload) : .binary(payload)))
        default: throw Malformed()
        }
    }

    // MARK: - Non public

    private static func readObject(_ value: JSONValue, _ bytes: [UInt8]) throws(Malformed) -> ClientMessage {
        guard let object = value.object, let topic = object["topic"]?.text, let event = object["event"]?.text
        else { throw Malformed() }
        let payload = object.member("payload")
        let raw = payload.map { bytes[$0.range] } ?? [UInt8]("{}".utf8)[...]
        return try checked(
            ClientMessage(
                joinRef: reference(object["join_ref"]), ref: reference(object["ref"]), topic: topic,
                event: event,
                content: .json(payload?.value ?? .object(JSONObject()), raw: raw)))
    }

    private static func readArray(_ value: JSONValue, _ bytes: [UInt8]) throws(Malformed) -> ClientMessage {
        guard let array = value.array, array.count == 5, let topic = array[2].text, let event = array[3].text
        else { throw Malformed() }
        return try checked(
            ClientMessage(
                joinRef: reference(array[0]), ref: reference(array[1]), topic: topic, event: event,
                content: .json(array[4], raw: lastElement(of: bytes))))
    }

    private static func checked(_ message: ClientMessage) throws(Malformed) -> ClientMessage {
        guard message.topic.utf8.count <= longestName, message.event.utf8.count <= longestName,
            message.ref?.utf8.count ?? 0 <= longestName, message.joinRef?.utf8.count ?? 0 <= longestName
        else { throw Malformed() }
        return message
    }

    /// Clients send strings; numbers are taken too.
    private static func reference(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    /// The bytes of the fifth element of an array that is known to be one, whose first four are strings, numbers or
    /// null.
    private static func lastElement(of bytes: [UInt8]) -> ArraySlice<UInt8> {
        var commas = 0
        var isInString = false
        var index = bytes.startIndex
        while index < bytes.endIndex, commas < 4 {
            switch bytes[index] {
            case UInt8(ascii: "\\") where isInString: index += 1
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: ",") where !isInString: commas += 1
            default: break
            }
            index += 1
        }
        guard let end = bytes.lastIndex(of: UInt8(ascii: "]")), index <= end else { return [] }
        var slice = bytes[index..<end]
        while let first = slice.first, isSpace(first) { slice.removeFirst() }
        while let last = slice.last, isSpace(last) { slice.removeLast() }
        return slice
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}

/// Takes bytes off the front of a frame.
private struct SizedReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() throws(ClientMessageReader.Malformed) -> UInt8 {
        guard let byte = rest.popFirst() else { throw ClientMessageReader.Malformed() }
        return byte
    }

    mutating func bytes(_ count: Int) throws(ClientMessageReader.Malformed) -> [UInt8] {
        guard rest.count >= count else { throw ClientMessageReader.Malformed() }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func text(_ count: UInt8) throws(ClientMessageReader.Malformed) -> String {
        guard let text = String(validating: try bytes(Int(count)), as: UTF8.self) else {
            throw ClientMessageReader.Malformed()
        }
        return text
    }

    mutating func optionalText(_ count: UInt8) throws(ClientMessageReader.Malformed) -> String? {
        count == 0 ? nil : try text(count)
    }
}

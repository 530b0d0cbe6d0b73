import NIOCore

/// Words events as server-sent events (HTML Standard, "Server-sent events").
enum ServerSentEvents {
    static let contentType = "text/event-stream"

    static func bytes(_ event: LiveEvent) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch event {
        case .snapshot(let id, let rows): write(id, "snapshot", rows, to: &buffer)
        case .changes(let id, let changes): write(id, "changes", changes, to: &buffer)
        case .resumed(let id): write(id, "resumed", Array("{}".utf8), to: &buffer)
        case .end(let end): write(nil, "end", end.json, to: &buffer)
        case .pulse: buffer.writeStaticString(":\n\n")
        }
        return buffer
    }

    private static func write(_ id: String?, _ name: String, _ data: [UInt8], to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: data.count + 96)
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeString("event: \(name)\n")
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            buffer.writeStaticString("data: ")
            buffer.writeBytes(line)
            buffer.writeStaticString("\n")
        }
        buffer.writeStaticString("\n")
    }
}

import ApusFaults
import NIOCore

/// Writes an answer's bytes as HTTP/1.1 (RFC 9112).
enum HTTP1ResponseWriter {
    /// Head and, where it is at hand, body in one buffer. A deferred body is left to the caller, who writes
    /// it behind the head.
    static func write(
        _ response: HTTPResponse, keepsAlive: Bool, isHead: Bool, date: String,
        allocator: ByteBufferAllocator, takesChunks: Bool = true
    ) -> ByteBuffer {
        let length = response.bodyLength
        var buffer = allocator.buffer(capacity: 512 + (isHead ? 0 : (length ?? 0)))
        if response.status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\nDate: ")
        } else {
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeString(HTTPStatusLine.text(response.status))
            buffer.writeStaticString("\r\nDate: ")
        }
        buffer.writeString(date)
        buffer.writeStaticString("\r\n")
        write(response.fields, to: &buffer)
        if let length, !isHead, response.status != 204, response.status != 304 {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        } else if case .stream = response.body {
            // Without chunks (HTTP/1.0) the end of the connection is the end of the body (RFC 9112 §6.3).
            if keepsAlive || takesChunks { buffer.writeStaticString("Transfer-Encoding: chunked\r\n") }
        } else if length == nil, !isHead, response.status >= 200, response.status != 204,
            response.status != 304
        {
            buffer.writeStaticString("Content-Length: 0\r\n")
        }
        if !keepsAlive, response.status != 101 { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        guard !isHead else { return buffer }
        switch response.body {
        case .none, .deferred, .stream, .webSocket: break
        case .bytes(let bytes): buffer.writeBytes(bytes)
        case .buffer(var body): buffer.writeBuffer(&body)
        }
        return buffer
    }
}

extension HTTP1ResponseWriter {
    /// All field lines in one piece.
    private static func write(_ fields: [HeaderField], to buffer: inout ByteBuffer) {
        var length = 0
        for field in fields { length += field.name.utf8.count + field.value.utf8.count + 4 }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
            var rest = UnsafeMutableRawBufferPointer(rebasing: target[..<length])
            for field in fields {
                put(field.name, &rest)
                put(": " as StaticString, &rest)
                put(field.value, &rest)
                put("\r\n" as StaticString, &rest)
            }
            return length
        }
    }

    private static func put(_ text: String, _ target: inout UnsafeMutableRawBufferPointer) {
        var text = text
        text.withUTF8 { bytes in
            target.copyMemory(from: UnsafeRawBufferPointer(bytes))
            target = UnsafeMutableRawBufferPointer(rebasing: target[bytes.count...])
        }
    }

    private static func put(_ text: StaticString, _ target: inout UnsafeMutableRawBufferPointer) {
        text.withUTF8Buffer { bytes in
            target.copyMemory(from: UnsafeRawBufferPointer(bytes))
            target = UnsafeMutableRawBufferPointer(rebasing: target[bytes.count...])
        }
    }
}

/// Status codes with their reason phrases (RFC 9110 §15). A code that is not registered goes without phrase,
/// which RFC 9112 §4 allows.
enum HTTPStatusLine {
    static func text(_ status: Int) -> String {
        if let phrase = phrases[status] { return "\(status) \(phrase)" }
        return "\(status) "
    }

    private static let phrases: [Int: String] = [
        101: "Switching Protocols",
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 205: "Reset Content",
        206: "Partial Content", 207: "Multi-Status", 301: "Moved Permanently", 302: "Found",
        303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
        409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
        416: "Range Not Satisfiable", 417: "Expectation Failed", 418: "I'm a teapot",
        421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked",
        425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
        429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        507: "Insufficient Storage",
    ]
}

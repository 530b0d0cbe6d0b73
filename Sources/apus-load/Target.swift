/// Where a WebSocket, or a publisher's address, is.
struct Target: Sendable {
    var host: String
    var port: UInt16
    var path: String

    /// `ws://host:port/path?query`, the host in numbers; nil for anything else.
    init?(_ url: String) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty else { return nil }
        let authority = parts[2].split(separator: ":")
        guard let name = authority.first else { return nil }
        host = String(name)
        port = authority.count > 1 ? UInt16(authority[1]) ?? 80 : 80
        path = "/" + (parts.count > 3 ? String(parts[3]) : "")
    }

    /// The request that opens a WebSocket here (RFC 6455 §4.1).
    var upgrade: [UInt8] {
        Array(
            ("GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8)
    }
}

/// WebSocket frames of a client.
enum ClientFrame {
    /// With a mask of zeros, which leaves the payload as it is; RFC 6455 does not forbid it to a load generator.
    static func encode(_ payload: [UInt8], opcode: UInt8 = 0x1) -> [UInt8] {
        var frame: [UInt8] = [0x80 | opcode]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else if payload.count <= 0xFFFF {
            frame += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        } else {
            frame.append(0xFF)
            for shift in stride(from: 56, through: 0, by: -8) {
                frame.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        return frame + [0, 0, 0, 0] + payload
    }
}

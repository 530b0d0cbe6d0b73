import ApusTestSupport
import Dispatch
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ApusHTTP

/// What goes past NIO's queue, and what goes through it, arrives in the order in which it was sent.
@Suite struct DirectSocketTests {
    /// Sends numbered messages, some at once, some through the queue, when it is told how many.
    private final class Teller: WebSocketReceiver {
        let socket: WebSocket
        let toldAll: @Sendable (Int) -> Void
        let length: Int

        init(_ socket: WebSocket, length: Int, toldAll: @escaping @Sendable (Int) -> Void) {
            self.socket = socket
            self.length = length
            self.toldAll = toldAll
        }

        func receive(text: ByteBuffer) {
            let count = Int(String(buffer: text)) ?? 0
            let filler = String(repeating: "x", count: length)
            for number in 0..<count {
                let message = WebSocketMessage.text("\(number) \(filler)")
                if number % 3 == 0 { socket.sendNow(message) } else { socket.enqueue(message) }
                if number % 7 == 0 { socket.flush() }
            }
            toldAll(socket.bufferedBytes)
            socket.close(.normal)
        }

        func receive(binary: ByteBuffer) {}
        func closed() {}
    }

    /// Everything that the server says to a client that does not read before all is said, and how much of it waited then.
    private func told(_ count: Int, length: Int, limit: Int) async throws -> (bytes: [UInt8], waited: Int) {
        let (waited, said) = AsyncStream.makeStream(of: Int.self)
        let limits = WebSocketLimits(queueBytes: limit)
        let server = HTTPServer(
            configuration: .init(host: "127.0.0.1", port: 0, limits: .init()),
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "teller")
        ) { exchange in
            exchange.respond(
                WebSocketUpgrade.response(to: exchange.request, limits: limits) { socket in
                    Teller(socket, length: length) { said.yield($0) }
                })
        }
        let listener = try await server.listen()
        let socket = try Socket(port: listener.port)
        socket.write(
            "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        let text = Array(String(count).utf8)
        // The mask is four zeros.
        socket.write([0x81, 0x80 | UInt8(text.count), 0, 0, 0, 0] + text)
        var iterator = waited.makeAsyncIterator()
        let left = await iterator.next() ?? -1
        let bytes: [UInt8] = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var all: [UInt8] = []
                while let some = socket.readSome() {
                    all += some
                    // A client answers a close when it has read up to it.
                    if all.suffix(64).contains(0x88) { socket.write([0x88, 0x80, 0, 0, 0, 0]) }
                }
                continuation.resume(returning: all)
            }
        }
        return (bytes, left)
    }

    /// Payloads of the unmasked text frames behind the head of the answer, and the code of the close frame.
    private func messages(_ bytes: [UInt8]) -> (texts: [String], close: UInt16?) {
        let end = Array("\r\n\r\n".utf8)
        guard let head = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            return ([], nil)
        }
        var place = head + 4
        var texts: [String] = []
        while place + 1 < bytes.count {
            var length = Int(bytes[place + 1])
            var start = place + 2
            if length == 126 {
                length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
                start += 2
            }
            guard start + length <= bytes.count else { break }
            let payload = bytes[start..<start + length]
            if bytes[place] == 0x88 { return (texts, payload.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }) }
            texts.append(String(decoding: payload, as: UTF8.self))
            place = start + length
        }
        return (texts, nil)
    }

    @Test(arguments: [(5, 10), (300, 200), (2_000, 9_000)])
    func `Messages arrive whole and in order`(count: Int, length: Int) async throws {
        let (bytes, waited) = try await told(count, length: length, limit: 64 << 20)
        let filler = String(repeating: "x", count: length)
        let (texts, close) = messages(bytes)
        #expect(texts.count == count)
        for (number, text) in texts.enumerated() where text != "\(number) \(filler)" {
            Issue.record("message \(number) is \(text.prefix(20))")
        }
        #expect(close == 1_000)
        // The last case is far more than the system takes from one who does not read.
        #expect(count < 2_000 || waited > 1 << 20)
    }

    @Test func `Who does not read is left, and has what was sent before`() async throws {
        let (bytes, _) = try await told(2_000, length: 9_000, limit: 1 << 20)
        let (texts, close) = messages(bytes)
        #expect(texts.count < 2_000)
        #expect(texts.enumerated().allSatisfy { $1.hasPrefix("\($0) ") })
        #expect(close == WebSocketLimits().overflowCode.rawValue)
    }
}

package import ApusHTTP
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Synchronization

/// Gives the bytes of a connection to the server's own HTTP/1.1 handlers, and says what must never be: a request that
/// is not there, one that is lost, an answer too many or too few, a refusal without a code.
package struct FramingJudge: Sendable {
    package struct Breach: Error, CustomStringConvertible {
        package let description: String
    }

    /// What became of the bytes.
    package struct Verdict: Equatable, Sendable {
        /// What the server was asked.
        package var requests: [FramedRequest]
        /// Status of the refusal, when there was one.
        package var refusal: Int?
    }

    /// Small, so that they are reached.
    package static let limits = HTTPLimits(bodyBytes: 1_000, targetBytes: 300, headerBytes: 1_000)

    private let server: HTTPServer
    private let seen: Seen

    private final class Seen: Sendable {
        let requests = Mutex<[FramedRequest]>([])
    }

    package init() {
        let seen = Seen()
        self.seen = seen
        server = HTTPServer(
            configuration: .init(host: "", port: 0, limits: Self.limits),
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "framing")
        ) { exchange in
            let request = exchange.request
            seen.requests.withLock {
                $0.append(
                    FramedRequest(
                        method: request.method.rawValue, target: request.target,
                        body: request.body.map { Array($0.readableBytesView) } ?? []))
            }
            exchange.respond(.text("seen"))
        }
    }

    /// Judges bytes that arrive at once, and in pieces: how they arrive must make no difference.
    @discardableResult
    package func judge(_ bytes: [UInt8]) throws -> Verdict {
        let whole = try run([bytes[...]])
        try check(whole, bytes)
        let pieces = stride(from: 0, to: bytes.count, by: 7).map { bytes[$0..<min($0 + 7, bytes.count)] }
        let pieced = try run(pieces)
        guard pieced.verdict == whole.verdict else {
            throw Breach(description: "at once: \(whole.verdict); in pieces: \(pieced.verdict)")
        }
        return whole.verdict
    }

    // MARK: - Non public

    private struct Run {
        var verdict: Verdict
        var isOpen: Bool
    }

    private func run(_ pieces: [ArraySlice<UInt8>]) throws -> Run {
        seen.requests.withLock { $0 = [] }
        let channel = EmbeddedChannel()
        try server.speakHTTP1(on: channel)
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        for piece in pieces where channel.isActive {
            _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
            channel.embeddedEventLoop.run()
        }
        var output: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            output += buffer.readableBytesView
        }
        let requests = seen.requests.withLock { $0 }
        let refusal = try refusal(in: output, after: requests)
        let isOpen = channel.isActive && refusal == nil
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return Run(verdict: Verdict(requests: requests, refusal: refusal), isOpen: isOpen)
    }

    private func check(_ run: Run, _ bytes: [UInt8]) throws {
        let expected = FramingReference.requests(in: bytes)
        let seen = run.verdict.requests
        guard seen.count <= expected.count, seen == Array(expected.prefix(seen.count)) else {
            throw Breach(description: "seen: \(seen); there are: \(expected)")
        }
        if run.isOpen, seen.count < expected.count {
            throw Breach(description: "lost: \(expected[seen.count...])")
        }
    }

    /// Reads what was sent back: one answer for each request, and at most one refusal behind them, which has a code and
    /// ends the connection.
    private func refusal(in output: [UInt8], after requests: [FramedRequest]) throws -> Int? {
        var rest = String(decoding: output, as: UTF8.self)[...]
        var answers = 0
        while !rest.isEmpty {
            guard let end = rest.firstRange(of: "\r\n\r\n"), rest.hasPrefix("HTTP/1.1 "),
                let status = Int(rest.dropFirst(9).prefix(3))
            else { throw Breach(description: "no answer: \(rest)") }
            let head = rest[..<end.lowerBound]
            rest = rest[end.upperBound...]
            if status == 100 { continue }
            let isHead = status == 200 && answers < requests.count && requests[answers].method == "HEAD"
            let length =
                isHead
                ? 0
                : head.firstRange(of: "Content-Length: ").flatMap {
                    Int(head[$0.upperBound...].prefix { $0.isNumber })
                }
            guard let length else { throw Breach(description: "an answer without length: \(head)") }
            let body = rest.prefix(length)
            rest = rest.dropFirst(length)
            if status == 200 {
                answers += 1
                continue
            }
            guard rest.isEmpty, (400..<500).contains(status), head.contains("Connection: close"),
                body.contains(#""code":"APUS4"#)
            else { throw Breach(description: "no refusal: \(head) \(body) \(rest)") }
            try checkCount(answers, requests)
            return status
        }
        try checkCount(answers, requests)
        return nil
    }

    private func checkCount(_ answers: Int, _ requests: [FramedRequest]) throws {
        guard answers == requests.count else {
            throw Breach(description: "\(answers) answers to \(requests)")
        }
    }
}

import ApusHTTP
import ApusTestSupport
import Foundation
import NIOCore
import Testing

/// Clients of HTTP/1.1 that send too much, lie about how much, or do not take what they asked for.
@Suite("Greedy and slow clients")
struct GreedyClientTests {
    private static func get(_ target: String, _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    // MARK: - Too much

    static let tooMuch: [(name: String, bytes: String, statuses: [Int])] = [
        ("a URL of 1 MB", get("/" + String(repeating: "u", count: 1 << 20)), [414, 431]),
        ("a URL beyond the limit", get("/" + String(repeating: "u", count: 65_536)), [414]),
        ("a field of 1 MB", get("/", "X: " + String(repeating: "v", count: 1 << 20) + "\r\n"), [431]),
        ("a name of 1 MB", get("/", String(repeating: "n", count: 1 << 20) + ": v\r\n"), [431]),
        ("10,000 fields", get("/", (0..<10_000).map { "X\($0): v\r\n" }.joined()), [431]),
        (
            "10,000 trailers",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                + (0..<10_000).map { "X\($0): v\r\n" }.joined() + "\r\n", [431]
        ),
        (
            "a method of 1 MB", String(repeating: "M", count: 1 << 20) + " / HTTP/1.1\r\nHost: a\r\n\r\n",
            [400, 431]
        ),
        (
            "a body that is said to be larger than may be",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108865\r\n\r\n", [413]
        ),
        (
            "a body that is said to be larger than anything",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", [413]
        ),
    ]

    @Test(arguments: tooMuch.map(\.name))
    func isRefused(name: String) async throws {
        let server = try await EchoServer.start()
        let (_, bytes, statuses) = try #require(Self.tooMuch.first { $0.name == name })
        let (answer, isClosed) = try await server.exchange(bytes)
        #expect(statuses.contains { answer.hasPrefix("HTTP/1.1 \($0) ") }, "\(answer.prefix(300))")
        #expect(answer.contains(#""code":"APUS4"#))
        #expect(isClosed)
        #expect(server.takeSeen() == [])
    }

    @Test func limitsThatAreRaisedHold() async throws {
        let server = try await EchoServer.start(HTTPLimits(targetBytes: 2 << 20, headerBytes: 2 << 20))
        let target = "/" + String(repeating: "u", count: 1 << 20)
        let field = "X: " + String(repeating: "v", count: 1 << 20) + "\r\nConnection: close\r\n"
        let (answer, _) = try await server.exchange(Self.get(target, field))
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer.prefix(300))")
        #expect(server.takeSeen() == ["GET \(target) []"])
    }

    // MARK: - Lies

    @Test(arguments: ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\na\r\nhello"])
    func bodyThatIsShorterThanSaid(rest: String) async throws {
        let server = try await EchoServer.start(HTTPLimits(readTimeout: .milliseconds(300)))
        let (answer, isClosed) = try await server.exchange("POST / HTTP/1.1\r\nHost: a\r\n" + rest)
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        #expect(isClosed)
        #expect(server.takeSeen() == [])
    }

    @Test func clientThatLeavesInTheMiddle() async throws {
        let server = try await EchoServer.start()
        do {
            let socket = try Socket(port: server.port)
            socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            try #require(try await eventually { server.connections == 1 })
        }
        #expect(try await eventually { server.connections == 0 })
        #expect(server.takeSeen() == [])
    }

    // MARK: - What is not taken

    /// More than the system's buffers hold.
    private static let large = 64 << 20

    @Test(arguments: ["", "Connection: close\r\n"])
    func answerThatIsNotTaken(fields: String) async throws {
        let server = try await EchoServer.start(
            HTTPLimits(idleTimeout: .milliseconds(500)), answer: Self.large)
        let socket = try Socket(port: server.port)
        socket.write(Self.get("/", fields))
        try #require(try await eventually { server.takeSeen() == ["GET / []"] })
        #expect(try await eventually { server.connections == 0 }, "its memory is free again")
        withExtendedLifetime(socket) {}
    }

    @Test func refusalBehindAnAnswerThatIsNotTaken() async throws {
        let server = try await EchoServer.start(
            HTTPLimits(idleTimeout: .milliseconds(500)), answer: Self.large)
        let socket = try Socket(port: server.port)
        socket.write(Self.get("/") + "nonsense\r\n\r\n")
        try #require(try await eventually { server.takeSeen() == ["GET / []"] })
        #expect(try await eventually { server.connections == 0 })
        withExtendedLifetime(socket) {}
    }

    @Test(arguments: ["", "Connection: close\r\n"])
    func answerThatIsTakenSlowly(fields: String) async throws {
        let idle = TimeAmount.milliseconds(500)
        let server = try await EchoServer.start(HTTPLimits(idleTimeout: idle), answer: Self.large)
        let socket = try Socket(port: server.port)
        socket.write(Self.get("/", fields))
        let began = ContinuousClock.now
        let count = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var count = 0
                while count < Self.large, let bytes = socket.readSome(most: 4 << 20) {
                    count += bytes.count
                    // What is tested is time: all of it takes far longer than a connection may be idle.
                    if count < Self.large * 3 / 4 { Thread.sleep(forTimeInterval: 0.1) }
                }
                continuation.resume(returning: count)
            }
        }
        #expect(count >= Self.large, "slow is not gone")
        #expect(ContinuousClock.now - began > .seconds(1))
    }

    // MARK: - Many at once

    @Test func connectionsBeyondTheLimitAreClosed() async throws {
        let server = try await EchoServer.start(HTTPLimits(connections: 2))
        let sockets = try [Socket(port: server.port), Socket(port: server.port)]
        try #require(try await eventually { server.connections == 2 })
        let (answer, isClosed) = try await server.exchange(Self.get("/"))
        #expect(answer == "")
        #expect(isClosed)
        sockets[0].write(Self.get("/"))
        #expect(try await eventually { server.takeSeen() == ["GET / []"] }, "those before are served")
    }
}

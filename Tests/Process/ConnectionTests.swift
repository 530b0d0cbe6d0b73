import ApusTestSupport
import Foundation
import Testing

/// What a connection may ask of the server, byte by byte (RFC 9112).
@Suite(.serialized) struct ConnectionTests {
    /// One server for all, with small limits.
    private static let shared = Task {
        try await ServerProcess.start(
            migration: Fixture.migration,
            [
                "--server-max-body", "1000", "--server-max-url", "500", "--server-max-header", "2000",
                "--server-read-timeout", "1", "--server-idle-timeout", "60",
            ])
    }
    let server: ServerProcess

    init() async throws { server = try await Self.shared.value }

    /// Sends bytes and reads until the server closes the connection.
    private func exchange(_ text: String) async throws -> String {
        let socket = try Socket(port: server.port)
        socket.write(text)
        return await offThread { socket.readToEnd() }
    }

    private static let read = "GET /rest/v1/things?id=eq.1&select=id HTTP/1.1\r\nHost: a\r\n"

    // MARK: - Limits

    @Test func bodyThatIsTooLarge() async throws {
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.contains("APUS413"))
        #expect(answer.contains("Connection: close"))
    }

    @Test func bodyInPiecesThatIsTooLarge() async throws {
        let piece = "190\r\n" + String(repeating: "x", count: 400) + "\r\n"
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + piece + piece
                + piece)
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func answerArrivesAlthoughTheBodyIsStillBeingSent() async throws {
        let body = String(repeating: "x", count: 2_000_000)
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + body)
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func urlThatIsTooLong() async throws {
        let answer = try await exchange(
            "GET /\(String(repeating: "a", count: 500)) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 414 "))
    }

    @Test(arguments: [2_001, 200_000])
    func headerThatIsTooLarge(bytes: Int) async throws {
        let answer = try await exchange(Self.read + "X-Long: \(String(repeating: "a", count: bytes))\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
    }

    @Test func bodyThatComesTooSlowly() async throws {
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n[1"
        )
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func headThatComesTooSlowly() async throws {
        let answer = try await exchange("GET /rest/v1/things HTTP/1.1\r\nHos")
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func drippingBytesDoNotBuyTime() async throws {
        let socket = try Socket(port: server.port)
        socket.write("POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
        let dripping = Task {
            while !Task.isCancelled, socket.write("x") { try? await Task.sleep(for: .milliseconds(100)) }
        }
        let answer = await offThread { socket.read(until: "APUS408") }
        dripping.cancel()
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
    }

    // MARK: - Framing

    @Test(arguments: [
        "NONSENSE\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
        "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n[1]",
        "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n[1]",
        "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func malformed(request: String) async throws {
        let answer = try await exchange(request)
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
    }

    @Test func lengthThatIsLessThanTheBody() async throws {
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{ }smuggled"
                + "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.contains("{ }"))
        #expect(answer.components(separatedBy: "HTTP/1.1 ").count <= 3)
        #expect(!answer.components(separatedBy: "HTTP/1.1 ").dropFirst(2).contains { $0.hasPrefix("200") })
    }

    @Test func oneConnectionManyRequests() async throws {
        let socket = try Socket(port: server.port)
        for _ in 0..<3 {
            socket.write(Self.read + "\r\n")
            let answer = await offThread { socket.read(until: #"[{"id":1}]"#) }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            #expect(!answer.contains("Connection: close"))
        }
    }

    @Test func requestsInOneGoAreAnsweredInOrder() async throws {
        var text = "GET /rest/v1/rpc/nap?seconds=0.3 HTTP/1.1\r\nHost: a\r\n\r\n"
        for id in 1...30 { text += "GET /rest/v1/things?id=eq.\(id)&select=id HTTP/1.1\r\nHost: a\r\n\r\n" }
        text += "GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let answer = try await exchange(text)
        let ids = answer.components(separatedBy: "[{\"id\":").dropFirst().compactMap {
            Int($0.prefix { $0 != "}" })
        }
        #expect(ids == Array(1...30))
        let nap = try #require(answer.range(of: "awake"))
        #expect(nap.lowerBound < (try #require(answer.range(of: "[{\"id\":1}]"))).lowerBound)
    }

    @Test func headHasNoBody() async throws {
        let answer = try await exchange(
            "HEAD /rest/v1/things?id=eq.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test func oldClients() async throws {
        let answer = try await exchange("GET /rest/v1/things?id=eq.1&select=id HTTP/1.0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.contains("Connection: close"))
        #expect(answer.hasSuffix(#"[{"id":1}]"#))
    }

    @Test func expectationIsMet() async throws {
        let socket = try Socket(port: server.port)
        socket.write(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n"
                + "Expect: 100-continue\r\n\r\n")
        #expect(await offThread { socket.read(until: "\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
        socket.write("{ }")
        #expect(await offThread { socket.read(until: "{ }") }.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func expectationOfTooMuchIsRefusedBeforeTheBody() async throws {
        let answer = try await exchange(
            "POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func workForAClientThatLeftIsCancelled() async throws {
        let naps = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        do {
            let socket = try Socket(port: server.port)
            socket.write("GET /rest/v1/rpc/nap?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await eventually { try await server.sql(naps) == "1" })
        }
        #expect(try await eventually { try await server.sql(naps) == "0" })
    }
}

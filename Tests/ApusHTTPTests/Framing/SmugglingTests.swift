import ApusHTTP
import Foundation
import Testing

/// The known ways to make a proxy and a server read different requests from the same bytes (J. Kettle, "HTTP Desync
/// Attacks", 2019, and what came after), each over a real connection: refused with a code and closed, or one request
/// that can be read in one way only.
@Suite("Request smuggling")
struct SmugglingTests {
    private static let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func post(_ fields: String, _ body: String = hidden) -> String {
        "POST /open HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n" + body
    }

    // MARK: - Refused

    static let refused: [(name: String, bytes: String)] = [
        ("CL.TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + hidden)),
        ("TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\n" + hidden + "0\r\n\r\n")),
        ("two lengths", post("Content-Length: 5\r\nContent-Length: 0")),
        ("the same length twice", post("Content-Length: 0\r\nContent-Length: 0")),
        ("list of lengths", post("Content-Length: 0, 0")),
        ("length with a sign", post("Content-Length: +0")),
        ("negative length", post("Content-Length: -1")),
        ("hexadecimal length", post("Content-Length: 0x0")),
        ("length in two words", post("Content-Length: 0 0")),
        ("no length", post("Content-Length:")),
        ("length beyond 64 bits", post("Content-Length: 18446744073709551616")),
        ("length in a folded line", post("Content-Length:\r\n 0")),
        ("blank before the colon", post("Content-Length : 0")),
        ("tab before the colon", post("Transfer-Encoding\t: chunked", "0\r\n\r\n" + hidden)),
        ("field that begins with a blank", post("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n" + hidden)),
        ("first field begins with a blank", "GET / HTTP/1.1\r\n Host: a\r\n\r\n" + hidden),
        ("TE.TE, unknown coding", post("Transfer-Encoding: xchunked", "0\r\n\r\n" + hidden)),
        (
            "TE.TE, two fields",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "0\r\n\r\n" + hidden)
        ),
        ("TE.TE, chunked twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n" + hidden)),
        ("TE.TE, chunked not last", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n" + hidden)),
        ("TE.TE, coding not done here", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n" + hidden)),
        ("TE.TE, identity", post("Transfer-Encoding: identity")),
        ("TE.TE, vertical tab", post("Transfer-Encoding:\u{B}chunked", "0\r\n\r\n" + hidden)),
        ("TE.TE, quoted", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n" + hidden)),
        ("TE.TE, with parameter", post("Transfer-Encoding: chunked;x=y", "0\r\n\r\n" + hidden)),
        ("TE.TE, folded", post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n" + hidden)),
        ("TE.TE, behind a line feed", post("X: y\nTransfer-Encoding: chunked", "0\r\n\r\n" + hidden)),
        ("TE.TE, behind a carriage return", post("X: y\rTransfer-Encoding: chunked", "0\r\n\r\n" + hidden)),
        (
            "chunks over HTTP/1.0",
            "POST /open HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden
        ),
        ("line feeds alone", "GET /open HTTP/1.1\nHost: a\n\n" + hidden),
        ("one line feed alone", "GET /open HTTP/1.1\r\nHost: a\nX: y\r\n\r\n" + hidden),
        ("end of the head by a line feed", "GET /open HTTP/1.1\r\nHost: a\r\n\n" + hidden),
        ("NUL in a value", "GET /open HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n" + hidden),
        ("NUL in a name", "GET /open HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n" + hidden),
        ("NUL in the target", "GET /op\0en HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("control character in a value", "GET /open HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n" + hidden),
        ("name with a bracket", "GET /open HTTP/1.1\r\nHost: a\r\nX[]: y\r\n\r\n" + hidden),
        ("empty name", "GET /open HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n" + hidden),
        ("line without colon", "GET /open HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n" + hidden),
        ("no host", "GET /open HTTP/1.1\r\n\r\n" + hidden),
        ("two hosts", "GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + hidden),
        ("two hosts over HTTP/1.0", "GET /open HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n" + hidden),
        ("list of hosts", "GET /open HTTP/1.1\r\nHost: a, b\r\n\r\n" + hidden),
        ("host with a path", "GET /open HTTP/1.1\r\nHost: a/b\r\n\r\n" + hidden),
        ("host with a user", "GET /open HTTP/1.1\r\nHost: x@a\r\n\r\n" + hidden),
        ("HTTP/0.9", "GET /open\r\n" + hidden),
        ("HTTP/1.2", "GET /open HTTP/1.2\r\nHost: a\r\n\r\n" + hidden),
        ("HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden),
        ("version in small letters", "GET /open http/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("method in small letters", "get /open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("no method", " /open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("blank in the target", "GET /open /hidden HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("tab before the target", "GET\t/open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("target without slash", "GET open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("target of another protocol", "GET file:///open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("absolute target without authority", "GET http:///open HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("asterisk for a read", "GET * HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + hidden),
        ("chunk size that is none", post("Transfer-Encoding: chunked", "x\r\n")),
        ("chunk size with a prefix", post("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n")),
        ("chunk size with a sign", post("Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n")),
        (
            "chunk size beyond 64 bits",
            post("Transfer-Encoding: chunked", "10000000000000005\r\nhello\r\n0\r\n\r\n")
        ),
        ("chunk longer than said", post("Transfer-Encoding: chunked", "3\r\nhello\r\n0\r\n\r\n")),
        ("chunks ended by line feeds", post("Transfer-Encoding: chunked", "5\nhello\n0\n\n")),
        ("line feed in a chunk's extension", post("Transfer-Encoding: chunked", "5;x\nhello\r\n0\r\n\r\n")),
        (
            "trailer that says another length",
            post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nContent-Length: 100\r\n\r\n")
        ),
        ("trailer with a NUL", post("Transfer-Encoding: chunked", "0\r\nX: \0\r\n\r\n" + hidden)),
    ]

    @Test(arguments: refused.map(\.name))
    func isRefused(name: String) async throws {
        let server = try await EchoServer.start()
        let bytes = try #require(Self.refused.first { $0.name == name }?.bytes)
        let (answer, isClosed) = try await server.exchange(bytes)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
        #expect(answer.contains(#""code":"APUS400""#))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer: \(answer)")
        #expect(isClosed)
        #expect(server.takeSeen() == [])
    }

    // MARK: - Read in one way

    static let read: [(name: String, bytes: String, seen: [String])] = [
        (
            "body that looks like a request", post("Content-Length: \(hidden.utf8.count)", hidden),
            ["POST /open [\(hidden)]"]
        ),
        (
            "chunks that look like a request",
            post("Transfer-Encoding: chunked", "21\r\n\(hidden)\r\n0\r\n\r\n"),
            ["POST /open [\(hidden)]"]
        ),
        (
            "chunked in large letters", post("Transfer-Encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n"),
            ["POST /open [hello]"]
        ),
        (
            "extensions of chunks",
            post("Transfer-Encoding: chunked", "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"),
            ["POST /open [hello]"]
        ),
        (
            "chunk size with zeros before it",
            post("Transfer-Encoding: chunked", "0005\r\nhello\r\n000\r\n\r\n"),
            ["POST /open [hello]"]
        ),
        (
            "absolute target", "GET http://b/open?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /open?x=1 []"]
        ),
        ("absolute target without path", "GET HTTPS://b:1?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /?x=1 []"]),
        ("asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ["OPTIONS * []"]),
        ("two blanks before the target", "GET  /open HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /open []"]),
        ("two blanks behind the target", "GET /open  HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /open []"]),
        ("empty host", "GET /open HTTP/1.1\r\nHost:\r\n\r\n", ["GET /open []"]),
        ("blanks around a value", "GET /open HTTP/1.1\r\nHost: \t a \t \r\n\r\n", ["GET /open []"]),
        ("empty lines before a request", "\r\n\r\nGET /open HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /open []"]),
        (
            "lookalike of a field", post("Transfer_Encoding: chunked\r\nContent-Length: 1", "x"),
            ["POST /open [x]"]
        ),
        (
            "read with a body", "GET /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
            ["GET /open [x]"]
        ),
        (
            "another protocol over this one",
            "GET /open HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n"
                + "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", ["GET /open []"]
        ),
    ]

    @Test(arguments: read.map(\.name))
    func isReadInOneWay(name: String) async throws {
        let server = try await EchoServer.start()
        let (_, bytes, seen) = try #require(Self.read.first { $0.name == name })
        let last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let (answer, isClosed) = try await server.exchange(bytes + last)
        let isLast = name == "another protocol over this one"
        #expect(server.takeSeen() == seen + (isLast ? [] : ["GET /last []"]))
        #expect(answer.components(separatedBy: "HTTP/1.1 200 ").count == seen.count + (isLast ? 1 : 2))
        #expect(isClosed)
    }

    /// An answer that ends the connection is the last: what came behind its request must not be carried out unanswered.
    @Test(arguments: ["Connection: close", "Upgrade: h2c"])
    func nothingBehindTheLastRequestIsRead(field: String) async throws {
        let server = try await EchoServer.start()
        let (_, isClosed) = try await server.exchange(
            "GET /last HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n" + Self.hidden)
        #expect(server.takeSeen() == ["GET /last []"])
        #expect(isClosed)
    }

    @Test func nothingBehindARefusalIsRead() async throws {
        let server = try await EchoServer.start()
        let (answer, isClosed) = try await server.exchange(
            "GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\n\r\n" + Self.hidden)
        #expect(server.takeSeen() == ["GET /first []"])
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.components(separatedBy: "HTTP/1.1 400 ").count == 2)
        #expect(isClosed)
    }
}

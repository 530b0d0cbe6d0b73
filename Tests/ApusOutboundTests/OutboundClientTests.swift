import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import ApusOutbound

@Suite("Requests to others")
struct OutboundClientTests {
    private func client(_ server: LittleServer? = nil, resolver: HostResolver = .system) -> OutboundClient {
        OutboundClient(
            group: MultiThreadedEventLoopGroup.singleton,
            guard: AddressGuard(allowedHosts: server.map { ["127.0.0.1:\($0.port)"] } ?? []),
            resolver: resolver)
    }

    /// The time is long, because tests that compute may have all processors for a while.
    private func failure(
        _ client: OutboundClient, _ url: String, timeout: Duration = .seconds(60), limit: Int = 1_000
    )
        async throws -> OutboundFailure.Kind?
    {
        let url = try #require(OutboundURL(url))
        do throws(OutboundFailure) {
            _ = try await client.send(.init("GET", url), timeout: timeout, limit: limit)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func aRequestIsAnswered() async throws {
        let server = try await LittleServer.start { head, body in
            (201, [("X-Seen", "\(head.method) \(head.uri) \(head.headers.first(name: "host") ?? "")")], body)
        }
        let url = try #require(OutboundURL("\(server.url)/a?b"))
        let response = try await client(server).send(
            .init("POST", url, body: Array("hello".utf8)), timeout: .seconds(60))
        #expect(response.status == 201 && response.body == Array("hello".utf8))
        #expect(response.field("x-seen") == "POST /a?b 127.0.0.1:\(server.port)")
        await server.stop()
    }

    @Test func loopbackIsRefusedUnlessItIsNamed() async throws {
        let server = try await LittleServer.start { _, _ in (200, [], []) }
        #expect(try await failure(client(), server.url) == .refused)
        #expect(try await failure(client(), "https://127.0.0.1:\(server.port)") == .refused)
        #expect(try await failure(client(), "https://localhost:\(server.port)") == .refused)
        #expect(try await failure(client(), "https://[::ffff:127.0.0.1]:\(server.port)") == .refused)
        #expect(server.requests == 0)
        await server.stop()
    }

    @Test(
        "A name that leads to a closed address is refused, alone or among open ones",
        arguments: [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::1"]])
    func names(_ addresses: [String]) async throws {
        let resolver = HostResolver { _, port in
            try addresses.map { try SocketAddress(ipAddress: $0, port: port) }
        }
        #expect(try await failure(client(resolver: resolver), "https://innocent.example") == .refused)
    }

    /// DNS rebinding: the name says a public address first and loopback from then on. It is asked once, and the
    /// connection goes where the check looked.
    @Test func aNameThatChangesItsAddressLeadsNowhereElse() async throws {
        let server = try await LittleServer.start { _, _ in (200, [], []) }
        let asked = Mutex(0)
        let resolver = HostResolver { _, port in
            let isFirst = asked.withLock { count in
                count += 1
                return count == 1
            }
            return [try SocketAddress(ipAddress: isFirst ? "192.0.3.1" : "127.0.0.1", port: port)]
        }
        let kind = try await failure(
            client(resolver: resolver), "https://rebinding.example:\(server.port)",
            timeout: .milliseconds(500))
        #expect(kind == .timeout || kind == .unreachable)
        #expect(asked.withLock { $0 } == 1)
        #expect(server.connections == 0)
        await server.stop()
    }

    @Test func aRedirectIsAnAnswerAndIsNotFollowed() async throws {
        let server = try await LittleServer.start { _, _ in
            (302, [("Location", "http://169.254.169.254/")], [])
        }
        let url = try #require(OutboundURL(server.url))
        #expect(try await client(server).send(.init("GET", url), timeout: .seconds(60)).status == 302)
        #expect(server.requests == 1)
        await server.stop()
    }

    @Test func anAnswerThatIsTooLargeIsRefused() async throws {
        let server = try await LittleServer.start { _, _ in (200, [], [UInt8](repeating: 65, count: 5_000)) }
        #expect(try await failure(client(server), server.url, limit: 4_000) == .badAnswer)
        #expect(try await failure(client(server), server.url, limit: 6_000) == nil)
        await server.stop()
    }

    @Test func anAnswerThatDoesNotComeIsGivenUp() async throws {
        let server = try await LittleServer.start { _, _ in nil }
        #expect(try await failure(client(server), server.url, timeout: .milliseconds(200)) == .timeout)
        await server.stop()
    }

    @Test func plainHTTPIsForNamedHostsOnly() async throws {
        let resolver = HostResolver { _, port in [try SocketAddress(ipAddress: "93.184.216.34", port: port)] }
        #expect(try await failure(client(resolver: resolver), "http://example.com") == .refused)
    }
}

/// An HTTP server that answers as a test says; nil: not at all.
final class LittleServer: Sendable {
    typealias Answer =
        @Sendable (HTTPRequestHead, [UInt8]) -> (status: Int, fields: [(String, String)], body: [UInt8])?

    let port: Int
    private let channel: any Channel
    private let counts: Counts

    final class Counts: Sendable {
        let requests = Atomic(0)
        let connections = Atomic(0)
    }

    private init(_ channel: any Channel, _ counts: Counts) {
        self.channel = channel
        self.counts = counts
        port = channel.localAddress?.port ?? 0
    }

    static func start(_ answer: @escaping Answer) async throws -> LittleServer {
        let counts = Counts()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                counts.connections.add(1, ordering: .relaxed)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answer, counts))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return LittleServer(channel, counts)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: Int { counts.requests.load(ordering: .relaxed) }
    var connections: Int { counts.connections.load(ordering: .relaxed) }

    func stop() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let answer: Answer
        private let counts: Counts
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ answer: @escaping Answer, _ counts: Counts) {
            self.answer = answer
            self.counts = counts
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let buffer): body += buffer.readableBytesView
            case .end:
                counts.requests.add(1, ordering: .relaxed)
                guard let head, let (status, fields, bytes) = answer(head, body) else { return }
                var headers = HTTPHeaders(fields)
                headers.add(name: "Content-Length", value: "\(bytes.count)")
                let reply = HTTPResponseHead(
                    version: .http1_1, status: .init(statusCode: status), headers: headers)
                context.write(wrapOutboundOut(.head(reply)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                body = []
            }
        }
    }
}

package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL

/// Sends requests to other servers, guarded: every name is resolved once, all its addresses are checked, and the
/// connection goes to an address that was checked, so that a name which changes its address in between (DNS
/// rebinding) leads nowhere else. Redirects are not followed. Time and size of an answer are bounded.
package struct OutboundClient: Sendable {
    package struct Request: Sendable {
        package var method: String
        package var url: OutboundURL
        package var fields: [(name: String, value: String)]
        package var body: [UInt8]

        package init(
            _ method: String, _ url: OutboundURL, fields: [(name: String, value: String)] = [],
            body: [UInt8] = []
        ) {
            self.method = method
            self.url = url
            self.fields = fields
            self.body = body
        }
    }

    package struct Response: Sendable {
        package var status: Int
        package var fields: [(name: String, value: String)]
        package var body: [UInt8]

        /// The first field of that name, in any case of letters.
        package func field(_ name: String) -> String? {
            fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    private let group: any EventLoopGroup
    private let addressGuard: AddressGuard
    private let resolver: HostResolver
    private let trustRoots: NIOSSLTrustRoots?

    package init(
        group: any EventLoopGroup, guard addressGuard: AddressGuard = .init(),
        resolver: HostResolver = .system,
        trustRoots: NIOSSLTrustRoots? = nil
    ) {
        self.group = group
        self.addressGuard = addressGuard
        self.resolver = resolver
        self.trustRoots = trustRoots
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Parameters:
    ///   - timeout: for everything, from looking the name up to the last byte.
    ///   - limit: bytes of the answer's body.
    package func send(
        _ request: Request, timeout: Duration = .seconds(10), limit: Int = 1 << 20
    ) async throws(OutboundFailure) -> Response {
        do {
            return try await withThrowingTaskGroup(of: Response.self) { group in
                group.addTask { try await exchange(request, limit: limit) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw OutboundFailure(.timeout, "\(request.url.host) did not answer in time")
                }
                defer { group.cancelAll() }
                guard let response = try await group.next() else {
                    throw OutboundFailure(.timeout, "\(request.url.host) did not answer in time")
                }
                return response
            }
        } catch let failure as OutboundFailure {
            throw failure
        } catch {
            throw OutboundFailure(.unreachable, "\(request.url.host) cannot be reached: \(error)")
        }
    }

    // MARK: - Non public

    private func exchange(_ request: Request, limit: Int) async throws -> Response {
        let addresses = try await checkedAddresses(request.url)
        let connection = try await connect(addresses, request.url, limit)
        let channel = connection.channel
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            try await write(request, to: channel)
            let response = try await connection.response.get()
            channel.close(promise: nil)
            return response
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// All addresses of the host; none of them may be one that we do not ask, or the name is not to be trusted at all.
    private func checkedAddresses(_ url: OutboundURL) async throws -> [SocketAddress] {
        let isNamed = addressGuard.allows(url)
        guard isNamed || url.scheme == .https else {
            throw OutboundFailure(.refused, "\(url.host) is asked over https only")
        }
        let addresses = try await resolver.addresses(url.host, url.port)
        guard !addresses.isEmpty else {
            throw OutboundFailure(.unreachable, "the name \(url.host) has no address")
        }
        guard isNamed || addresses.allSatisfy({ AddressGuard.isPublic($0) }) else {
            throw OutboundFailure(.refused, "\(url.host) is at an address that is not public")
        }
        return addresses
    }

    private struct Connection: Sendable {
        let channel: any Channel
        let response: EventLoopFuture<Response>
    }

    private func connect(
        _ addresses: [SocketAddress], _ url: OutboundURL, _ limit: Int
    ) async throws -> Connection {
        let tls = url.scheme == .https ? try tlsContext() : nil
        var last: any Error = OutboundFailure(.unreachable, "\(url.host) has no address")
        for address in addresses.prefix(4) {
            do {
                return try await ClientBootstrap(group: group)
                    .connectTimeout(.seconds(5))
                    .connect(to: address) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try Self.prepare(channel, tls, url, limit)
                        }
                    }
            } catch {
                last = error
            }
        }
        throw last
    }

    private static func prepare(
        _ channel: any Channel, _ tls: NIOSSLContext?, _ url: OutboundURL, _ limit: Int
    ) throws -> Connection {
        let promise = channel.eventLoop.makePromise(of: Response.self)
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            let isAddress = (try? SocketAddress(ipAddress: url.host, port: 0)) != nil
            try pipeline.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : url.host))
        }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(ResponseCollector(promise: promise, host: url.host, limit: limit))
        return Connection(channel: channel, response: promise.futureResult)
    }

    private func tlsContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let trustRoots { configuration.trustRoots = trustRoots }
        return try NIOSSLContext(configuration: configuration)
    }

    private func write(_ request: Request, to channel: any Channel) async throws {
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: request.url.authority)
        headers.add(name: "Connection", value: "close")
        headers.add(name: "User-Agent", value: "Apus")
        for field in request.fields { headers.add(name: field.name, value: field.value) }
        if !request.body.isEmpty || request.method == "POST" {
            headers.add(name: "Content-Length", value: "\(request.body.count)")
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: .init(rawValue: request.method), uri: request.url.target,
            headers: headers)
        let body = request.body
        try await channel.eventLoop.flatSubmit {
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            if !body.isEmpty {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(.init(bytes: body))), promise: nil)
            }
            return channel.writeAndFlush(HTTPClientRequestPart.end(nil))
        }.get()
    }
}

/// Collects one answer, within its limit.
private final class ResponseCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<OutboundClient.Response>
    private let host: String
    private let limit: Int
    private var response: OutboundClient.Response?
    private var isDone = false

    init(promise: EventLoopPromise<OutboundClient.Response>, host: String, limit: Int) {
        self.promise = promise
        self.host = host
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // 1yz are no answers yet.
            guard head.status.code >= 200 else { return }
            response = .init(
                status: Int(head.status.code), fields: head.headers.map { ($0.name, $0.value) }, body: [])
        case .body(let buffer):
            guard (response?.body.count ?? 0) + buffer.readableBytes <= limit else {
                finish(.failure(OutboundFailure(.badAnswer, "the answer of \(host) is too large")))
                context.close(promise: nil)
                return
            }
            response?.body += buffer.readableBytesView
        case .end:
            if let response { finish(.success(response)) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(OutboundFailure(.unreachable, "\(host) broke the connection off")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(OutboundFailure(.badAnswer, "the connection to \(host) failed: \(error)")))
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(.failure(OutboundFailure(.unreachable, "\(host) broke the connection off")))
    }

    private func finish(_ result: Result<OutboundClient.Response, any Error>) {
        guard !isDone else { return }
        isDone = true
        promise.completeWith(result)
    }
}

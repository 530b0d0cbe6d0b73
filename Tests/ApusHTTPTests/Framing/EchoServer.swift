import ApusHTTP
import ApusTestSupport
import Dispatch
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A listening server that answers every request with what it was asked, and remembers it.
final class EchoServer: Sendable {
    let port: Int
    private let listener: HTTPServer.Listener

    /// - Parameter answer: bytes of the answer's body, where it is not what was asked.
    static func start(_ limits: HTTPLimits = .init(), answer: Int? = nil) async throws -> EchoServer {
        let seen = Seen()
        // Made here: an event loop that is busy making it serves nobody.
        let large = answer.map { ByteBuffer(repeating: UInt8(ascii: "x"), count: $0) }
        let server = HTTPServer(
            configuration: .init(host: "127.0.0.1", port: 0, limits: limits),
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "echo")
        ) { exchange in
            let request = exchange.request
            let body = request.body.map { String(buffer: $0) } ?? ""
            let told = "\(request.method.rawValue) \(request.target) [\(body)]"
            seen.requests.withLock { $0.append(told) }
            exchange.respond(large.map { HTTPResponse(status: 200, body: .buffer($0)) } ?? .text(told))
        }
        return EchoServer(try await server.listen(), seen, server)
    }

    private final class Seen: Sendable {
        let requests = Mutex<[String]>([])
    }
    private let requests: Seen
    private let server: HTTPServer

    private init(_ listener: HTTPServer.Listener, _ requests: Seen, _ server: HTTPServer) {
        self.listener = listener
        self.requests = requests
        self.server = server
        port = listener.port
    }

    /// What came through since the last time, as `METHOD target [body]`.
    func takeSeen() -> [String] {
        requests.requests.withLock { all in
            defer { all = [] }
            return all
        }
    }

    /// Connections that are open.
    var connections: Int { server.gate.count }

    /// Sends bytes on a connection of its own, and reads until the server closes it.
    func exchange(_ bytes: String) async throws -> (answer: String, isClosed: Bool) {
        let socket = try Socket(port: port)
        socket.write(bytes)
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let answer = socket.readToEnd()
                continuation.resume(returning: (answer, socket.isClosedByPeer))
            }
        }
    }
}

import ApusFaults
import ApusHTTP
import ApusRealtime
import NIOCore

/// One WebSocket of `/live/v1`: its follows, and whom they are answered for. A follow is one more follower of a read
/// (``LiveQuery``), as a stream of server-sent events is.
///
/// Sendable: touched on its event loop only, but for the outbox, which locks.
final class LiveConnection: WebSocketReceiver, @unchecked Sendable {
    private let socket: WebSocket
    private let endpoint: LiveSocketEndpoint
    private let context: LiveSocketContext
    /// Whom follows without a token of their own are answered for.
    private var token: String?
    private var follows: [String: LiveFollow] = [:]
    private var lastSerial: UInt64 = 0
    private var messages = RateWindow()
    private var outbox = LiveOutbox({})

    init(
        _ socket: WebSocket, _ endpoint: LiveSocketEndpoint, token: String?, context: LiveSocketContext
    ) {
        self.socket = socket
        self.endpoint = endpoint
        self.context = context
        self.token = token
        let loop = socket.eventLoop
        outbox = LiveOutbox { [weak self] in loop.execute { self?.deliver() } }
        if let token, case .failure(let fault) = identity(of: token) { tell(fault, id: nil) }
    }

    // MARK: - Receiving

    func receive(text: ByteBuffer) {
        let limit = endpoint.settings.messagesPerSecond
        let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        guard messages.admit(now: now, length: 1_000_000_000, limit: limit) else {
            tell(LiveSocketFault.tooManyMessages(limit), id: nil)
            return socket.close(.policyViolation, "APUS530: too many messages in a second")
        }
        do throws(LiveSocketMessage.Malformed) {
            receive(try LiveSocketMessage(Array(text.readableBytesView)))
        } catch {
            tell(LiveSocketFault.malformed(error.reason), id: error.id)
        }
    }

    func receive(binary: ByteBuffer) { socket.close(.unacceptable, "messages are text") }

    func closed() {
        outbox.close()
        leaveAll()
    }

    private func receive(_ message: LiveSocketMessage) {
        switch message {
        case .ping: socket.send(.text(LiveSocketText.pong))
        case .authenticate(let token): authenticate(token)
        case .follow(let message): follow(message)
        case .unfollow(let id):
            follows.removeValue(forKey: id)?.leave()
            socket.send(.text(LiveSocketText.unfollowed(id)))
        }
    }

    // MARK: - Identity

    private func identity(of token: String?) -> Result<LiveIdentity, Fault> {
        Result { () throws(Fault) in try endpoint.rest.identity(of: token) }
    }

    /// Takes another token, and has everything that went by the one before go by it.
    private func authenticate(_ token: String?) {
        switch identity(of: token) {
        case .failure(let fault): tell(fault, id: nil)
        case .success(let identity):
            self.token = token
            socket.send(
                .text(
                    LiveSocketText.authenticated(role: identity.role, expires: identity.expires)))
            for follow in follows.values where follow.token == nil { begin(follow) }
        }
    }

    // MARK: - Following

    private func follow(_ message: LiveSocketMessage.Follow) {
        guard follows[message.id] == nil else {
            return tell(LiveSocketFault.taken(message.id), id: message.id)
        }
        guard follows.count < endpoint.settings.followsPerConnection else {
            return tell(
                LiveSocketFault.tooManyFollows(endpoint.settings.followsPerConnection), id: message.id)
        }
        let follow = LiveFollow(message)
        follows[follow.id] = follow
        begin(follow)
    }

    /// Understands the read, and joins those who follow it.
    private func begin(_ follow: LiveFollow) {
        lastSerial += 1
        follow.serial = lastSerial
        let (id, serial) = (follow.id, lastSerial)
        let rest = endpoint.rest
        do throws(Fault) {
            let identity = try rest.identity(of: follow.token ?? token)
            let read = try rest.followable(follow.url, profile: follow.profile, for: identity, context)
            Task { [self] in
                await read.prepare()
                socket.eventLoop.execute { self.enter(id, serial, read, rest, identity) }
            }
        } catch {
            refuse(follow, error)
        }
    }

    private func enter(
        _ id: String, _ serial: UInt64, _ read: FollowableRead, _ rest: RESTEndpoint, _ identity: LiveIdentity
    ) {
        // The client may have changed its mind, or be gone.
        guard let follow = follows[id], follow.serial == serial, socket.isOpen else { return }
        let outbox = outbox
        let place = rest.follow(
            read, loop: socket.eventLoop, token: identity.token, lastEventID: follow.cursor
        ) { event in
            outbox.put(.init(follow: id, serial: serial, event: event))
        }
        switch place {
        case .taken(let place): follow.enter(read.live.board, place)
        case .full: refuse(follow, LiveFault.tooMany)
        case .outdated: begin(follow)
        }
    }

    private func refuse(_ follow: LiveFollow, _ fault: Fault) {
        follows[follow.id] = nil
        follow.leave()
        tell(fault, id: follow.id)
    }

    private func leaveAll() {
        let all = follows.values
        follows = [:]
        for follow in all { follow.leave() }
    }

    // MARK: - Telling

    /// Sends what has gathered.
    private func deliver() {
        for item in outbox.take() {
            guard let follow = follows[item.follow], follow.serial == item.serial else { continue }
            switch item.event {
            case .snapshot(let cursor, _), .changes(let cursor, _), .resumed(let cursor):
                follow.cursor = cursor
            case .end:
                follows[item.follow] = nil
                follow.leave()
            case .pulse: continue
            }
            if let text = LiveSocketText.event(item.event, of: item.follow) { socket.enqueue(.text(text)) }
        }
        if socket.isOpen {
            socket.flush()
        } else {
            // Too slow: what it misses it gets by coming back.
            leaveAll()
        }
    }

    private func tell(_ fault: Fault, id: String?) {
        socket.send(
            .text(LiveSocketText.error(fault, id: id, isVerbose: endpoint.rest.settings.showsDetails)))
    }
}

import ApusHTTP
import ApusJSON
import ApusRealtime
import ApusTokens
import NIOCore

/// One WebSocket that speaks the protocol of Supabase Realtime.
///
/// Sendable: touched on its event loop only.
final class RealtimeConnection: WebSocketReceiver, @unchecked Sendable {
    let socket: WebSocket
    let version: ChannelVersion
    let hub: RealtimeHub
    let shard: RealtimeShard
    /// The token that the connection was opened with; joins without one of their own use it.
    let token: String
    var channels: [String: RealtimeChannel] = [:]
    /// Whether something waits for ``RealtimeShard/flush()``.
    var isUnflushed = false
    /// Whether there were as many connections as there may be when it opened.
    private var hasRoom: Bool
    private var events = RateWindow()
    private var joins = RateWindow()
    private var presenceCalls = RateWindow()

    init(_ socket: WebSocket, version: ChannelVersion, token: String, hub: RealtimeHub) {
        self.socket = socket
        self.version = version
        self.token = token
        self.hub = hub
        hasRoom = hub.admission.enter()
        shard = hub.shard(of: socket.eventLoop)
        shard.add(self)
    }

    // MARK: - Receiving

    func receive(text: ByteBuffer) {
        guard
            let message = try? ClientMessageReader.read(text: Array(text.readableBytesView), version: version)
        else { return socket.close(.policyViolation, "not a message of the protocol") }
        receive(message, bytes: text.readableBytes)
    }

    func receive(binary: ByteBuffer) {
        guard version == .two,
            let message = try? ClientMessageReader.read(binary: Array(binary.readableBytesView))
        else { return socket.close(.unacceptable, "binary frames are of version 2.0.0") }
        receive(message, bytes: binary.readableBytes)
    }

    private func receive(_ message: ClientMessage, bytes: Int) {
        defer { shard.flush() }
        if message.topic == "phoenix" {
            if message.event == "heartbeat" { reply(to: message, isOK: true) }
            return
        }
        if message.event == "phx_join" { return join(message) }
        guard let channel = channels[message.topic] else {
            return reply(
                to: message, isOK: message.event == "phx_leave",
                message.event == "phx_leave" ? [:] : ["reason": .string("unmatched topic")])
        }
        if message.event == "phx_leave" { return leave(channel, message) }
        guard channel.isJoined else {
            // Clients wait for the answer to a join; a few that do not lose nothing by it.
            if channel.waiting.count < 100 { channel.waiting.append(message) }
            return
        }
        handle(message, on: channel, bytes: bytes)
    }

    /// A message on a channel that has been joined.
    func handle(_ message: ClientMessage, on channel: RealtimeChannel, bytes: Int) {
        switch message.event {
        case "access_token": refresh(channel, message)
        case "presence":
            guard admitsEvent(on: channel) else { return }
            presence(message, on: channel)
        case "broadcast":
            guard admitsEvent(on: channel) else { return }
            broadcast(message, on: channel)
        default:
            // Binary pushes of version 2 carry the event's own name.
            guard case .broadcast = message.content, admitsEvent(on: channel) else { return }
            broadcast(message, on: channel)
        }
    }

    func closed() {
        for channel in channels.values { hub.forget(channel) }
        channels = [:]
        hub.admission.leave()
        shard.remove(self)
    }

    // MARK: - Deadlines

    func tick(_ now: NIODeadline) {
        guard !channels.isEmpty else { return }
        let seconds = hub.seconds()
        for channel in channels.values where channel.caller.hasExpired(at: seconds) {
            end(channel, ChannelFault(.invalidToken, "Token has expired"))
        }
        shard.flush()
    }

    /// Ends what belongs to sessions that have ended.
    func end(sessions: Set<String>) {
        for channel in channels.values {
            if let session = channel.caller.session, sessions.contains(session) {
                end(channel, ChannelFault(.invalidToken, "The session has ended"))
            }
        }
    }

    // MARK: - Limits

    func hasPlace() -> Bool {
        if !hasRoom { hasRoom = hub.admission.hasRoom }
        return hasRoom
    }

    func admitsJoin() -> Bool {
        joins.admit(now: now, length: 1_000_000_000, limit: hub.settings.joinsPerSecond)
    }

    func admitsPresence() -> Bool {
        presenceCalls.admit(now: now, length: 30_000_000_000, limit: hub.settings.presenceCalls)
    }

    private func admitsEvent(on channel: RealtimeChannel) -> Bool {
        if events.admit(now: now, length: 1_000_000_000, limit: hub.settings.eventsPerSecond) { return true }
        end(channel, ChannelFault(.messageRate, "Too many messages per second"))
        return false
    }

    private var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    // MARK: - Sending

    func reply(to message: ClientMessage, isOK: Bool, _ response: JSONObject = [:]) {
        guard message.ref != nil || message.topic == "phoenix" else { return }
        shard.send(
            .text(ServerFrames.reply(version, to: message, isOK: isOK, response: .object(response))), on: self
        )
    }

    func refuse(_ message: ClientMessage, _ fault: ChannelFault) {
        reply(to: message, isOK: false, ["reason": .string(fault.reason)])
    }

    /// Tells why a channel goes on no longer, and closes it.
    func end(_ channel: RealtimeChannel, _ fault: ChannelFault, extension name: String = "system") {
        system(channel, isOK: false, fault.reason, extension: name)
        shard.send(channel.frame("phx_close", ref: nil, Array("{}".utf8)), on: self)
        remove(channel)
    }

    /// Tells a client that it should join again: its stream has a gap.
    func interrupt(_ channel: RealtimeChannel, _ reason: String) {
        shard.send(
            channel.frame("phx_error", JSONValue.object(["reason": .string(reason)]).bytes), on: self)
        remove(channel)
    }

    func system(_ channel: RealtimeChannel, isOK: Bool, _ message: String, extension name: String) {
        let payload: JSONObject = [
            "message": .string(message), "status": .string(isOK ? "ok" : "error"), "extension": .string(name),
            "channel": .string(channel.key.name),
        ]
        shard.send(channel.frame("system", JSONValue.object(payload).bytes), on: self)
    }

    func remove(_ channel: RealtimeChannel) {
        if channels[channel.key.wireName] === channel { channels[channel.key.wireName] = nil }
        hub.forget(channel)
    }

    private func leave(_ channel: RealtimeChannel, _ message: ClientMessage) {
        remove(channel)
        reply(to: message, isOK: true)
        shard.send(channel.frame("phx_close", ref: channel.joinRef, Array("{}".utf8)), on: self)
    }
}

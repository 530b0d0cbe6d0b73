import ApusFaults
import ApusHTTP
import ApusJSON
import ApusPostgres
import ApusRealtime
import NIOCore

/// `phx_join` and `access_token`.
extension RealtimeConnection {
    /// What a join has to ask for elsewhere before it is answered.
    struct Joined: Sendable {
        var access = TopicAccess.all
        var seats: [ChangeSeat] = []
        var replay: [Broadcast] = []
    }

    private static let topicPrefix = "realtime:"

    /// Checks what can be checked here, then asks the database. The answer comes when everything is in place: nothing
    /// that commits after it is missed.
    func join(_ message: ClientMessage) {
        let channel: RealtimeChannel
        do throws(ChannelFault) {
            channel = try prepare(message)
        } catch {
            return refuse(message, error)
        }
        if let old = channels[message.topic] { remove(old) }
        channels[message.topic] = channel
        let isPlain = !channel.request.isPrivate && channel.request.changes.isEmpty
        if isPlain { return complete(channel, message, .success(Joined())) }
        let (hub, eventLoop) = (hub, socket.eventLoop)
        let (key, request, caller) = (channel.key, channel.request, channel.caller)
        let version = version
        Task {
            let result: Result<Joined, ChannelFault>
            do throws(ChannelFault) {
                result = .success(try await hub.prepare(key, request, caller, version: version))
            } catch {
                result = .failure(error)
            }
            eventLoop.execute {
                self.complete(channel, message, result)
                self.shard.flush()
            }
        }
    }

    private func prepare(_ message: ClientMessage) throws(ChannelFault) -> RealtimeChannel {
        guard message.topic.hasPrefix(Self.topicPrefix) else {
            throw ChannelFault(.unmatchedTopic, "topics begin with realtime:")
        }
        let name = String(message.topic.dropFirst(Self.topicPrefix.count))
        guard !name.isEmpty else {
            throw ChannelFault(.topicNameRequired, "You must provide a topic name")
        }
        guard hasPlace() else { throw RealtimeAdmission.tooMany }
        guard admitsJoin() else { throw ChannelFault(.joinRate, "Too many joins per second") }
        guard channels.count < hub.settings.channelsPerConnection || channels[message.topic] != nil else {
            throw ChannelFault(.channelRate, "Too many channels")
        }
        let request = try JoinRequest(message.object)
        guard request.isPrivate || !hub.settings.privateOnly else {
            throw ChannelFault(.privateOnly, "This server has private channels only")
        }
        // Keys of the form sb_… name a project and nobody in it.
        let own = request.accessToken.flatMap { $0.isEmpty || $0.hasPrefix("sb_") ? nil : $0 }
        let caller = try RealtimeCaller(token: own ?? token, verifier: hub.verifier)
        return RealtimeChannel(
            TopicKey(name: name, isPrivate: request.isPrivate), self, joinRef: message.joinRef ?? message.ref,
            request: request, caller: caller, member: hub.nextMember())
    }

    private func complete(
        _ channel: RealtimeChannel, _ message: ClientMessage, _ result: Result<Joined, ChannelFault>
    ) {
        let topic = channel.key.wireName
        guard socket.isOpen, channels[topic] === channel else {
            if case .success(let joined) = result { hub.changes.release(joined.seats) }
            return
        }
        let joined: Joined
        switch result {
        case .success(let value): joined = value
        case .failure(let fault):
            channels[topic] = nil
            return refuse(message, fault)
        }
        channel.access = joined.access
        channel.isJoined = true
        hub.changes.take(joined.seats, channel)
        shard.join(channel)
        hub.counters.joins.increment()
        let bindings = zip(ChangeBinding.ids(of: channel.request.changes), channel.request.changes)
        let echoed: [JSONValue] = bindings.map { id, changes in
            var object = changes.echo
            object["id"] = .int(id)
            return .object(object)
        }
        reply(to: message, isOK: true, ["postgres_changes": .array(echoed)])
        for broadcast in joined.replay {
            var frames = BroadcastFrames(broadcast, topic: topic)
            if let frame = frames.message(for: version) { shard.send(frame, on: self) }
        }
        if channel.seesPresence { hub.presence.tellState(channel) }
        if !channel.request.changes.isEmpty {
            system(channel, isOK: true, "Subscribed to PostgreSQL", extension: "postgres_changes")
        }
        let waiting = channel.waiting
        channel.waiting = []
        for message in waiting where channel.isJoined { handle(message, on: channel, bytes: 0) }
    }

    // MARK: - access_token

    /// A new token for a channel that goes on: its rows are judged anew, its private topic asked for again.
    func refresh(_ channel: RealtimeChannel, _ message: ClientMessage) {
        guard let token = message.object["access_token"]?.text, !token.isEmpty, !token.hasPrefix("sb_") else {
            return
        }
        let caller: RealtimeCaller
        do throws(ChannelFault) {
            caller = try RealtimeCaller(token: token, verifier: hub.verifier)
        } catch {
            return end(channel, error)
        }
        let isSame =
            caller.principal.role == channel.caller.principal.role
            && caller.principal.claims == channel.caller.principal.claims
        channel.caller = caller
        channel.renewals += 1
        guard !isSame, channel.request.isPrivate || !channel.seats.isEmpty else { return }
        let (hub, eventLoop, version) = (hub, socket.eventLoop, version)
        let (key, request, renewal) = (channel.key, channel.request, channel.renewals)
        Task {
            let result: Result<Joined, ChannelFault>
            do throws(ChannelFault) {
                result = .success(try await hub.refresh(key, request, caller, version: version))
            } catch {
                result = .failure(error)
            }
            eventLoop.execute {
                self.take(result, channel, renewal)
                self.shard.flush()
            }
        }
    }

    private func take(_ result: Result<Joined, ChannelFault>, _ channel: RealtimeChannel, _ renewal: Int) {
        // It is over, or a newer token has come meanwhile.
        guard channel.isJoined, channel.renewals == renewal else {
            if case .success(let joined) = result { hub.changes.release(joined.seats) }
            return
        }
        switch result {
        case .success(let joined):
            channel.access = joined.access
            hub.changes.take(joined.seats, channel)
        case .failure(let fault): end(channel, fault)
        }
    }
}

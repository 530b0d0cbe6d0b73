package import ApusHTTP
import ApusJSON
package import ApusPostgres
package import ApusRealtime
package import ApusTokens
package import Logging
import Metrics
import NIOCore
import Synchronization

/// What all channels of a node share: who is on which event loop, what the database's changes bring, and the way to
/// other nodes.
package final class RealtimeHub: Sendable {
    /// What channels need of the rest of the program.
    package struct Parts: Sendable {
        package var settings: RealtimeSettings
        package var database: Database
        /// Of the configuration that holds now.
        package var verifier: @Sendable () -> TokenVerifier
        /// nil when the change feed is switched off.
        package var feed: ChangeFeed?
        package var subscriptions: RowSubscriptions
        package var book: AccessBook
        package var authorizer: TopicAuthorizer
        package var bus: any Bus
        package var logger: Logger

        package init(
            settings: RealtimeSettings, database: Database,
            verifier: @escaping @Sendable () -> TokenVerifier, feed: ChangeFeed?,
            subscriptions: RowSubscriptions, book: AccessBook, authorizer: TopicAuthorizer, bus: any Bus,
            logger: Logger
        ) {
            self.settings = settings
            self.database = database
            self.verifier = verifier
            self.feed = feed
            self.subscriptions = subscriptions
            self.book = book
            self.authorizer = authorizer
            self.bus = bus
            self.logger = logger
        }
    }

    /// For `/metrics`.
    struct Counters: Sendable {
        let joins = SharedCounter("apus_realtime_joins_total")
        let broadcasts = SharedCounter("apus_realtime_broadcasts_total")
        let changes = SharedCounter("apus_realtime_changes_delivered_total")
    }

    let settings: RealtimeSettings
    private let currentVerifier: @Sendable () -> TokenVerifier
    let counters = Counters()
    let admission: RealtimeAdmission
    let presence: PresenceBoard
    let changes: ChangeDelivery
    let authorizer: TopicAuthorizer
    let database: Database
    let nodes: NodeLink
    private let logger: Logger
    private let feed: ChangeFeed?
    private let book: AccessBook
    private let shards: ShardSet
    private let lastMember = Atomic<UInt64>(0)

    package init(_ parts: Parts) {
        settings = parts.settings
        admission = RealtimeAdmission(parts.settings)
        currentVerifier = parts.verifier
        feed = parts.feed
        book = parts.book
        authorizer = parts.authorizer
        database = parts.database
        logger = parts.logger
        let shards = ShardSet()
        self.shards = shards
        nodes = NodeLink(bus: parts.bus)
        presence = PresenceBoard(shards: shards, nodes: nodes)
        changes = ChangeDelivery(
            subscriptions: parts.subscriptions, shards: shards, settings: parts.settings, counters: counters)
    }

    // MARK: - Life

    /// Brings changes of the database and messages of other nodes to the channels, until cancelled.
    package func run() async {
        let links = nodes.listen { [weak self] message in self?.receive(message) }
        let presence = Task { await self.presence.run() }
        if let feed { await changes.run(feed) } else { await untilCancelled() }
        presence.cancel()
        await presence.value
        withExtendedLifetime(links) {}
    }

    /// Sessions that have ended take their channels with them.
    package func end(sessions: [String]) {
        let ended = Set(sessions)
        shards.post(
            .perform { shard in
                for connection in shard.connections.values { connection.end(sessions: ended) }
            })
    }

    // MARK: - For connections

    func shard(of eventLoop: any EventLoop) -> RealtimeShard { shards.shard(of: eventLoop) }

    var verifier: TokenVerifier { currentVerifier() }

    func nextMember() -> UInt64 { lastMember.add(1, ordering: .relaxed).newValue }

    /// Seconds since 1970.
    func seconds() -> Int64 { TokenVerifier.systemClock() }

    /// Makes everything ready for a channel: permission, changes, what is to be replayed.
    func prepare(
        _ key: TopicKey, _ request: JoinRequest, _ caller: RealtimeCaller, version: ChannelVersion
    ) async throws(ChannelFault) -> RealtimeConnection.Joined {
        var joined = RealtimeConnection.Joined()
        if key.isPrivate {
            joined.access = try await topicAccess(key, caller)
            guard joined.access.mayJoin else { throw Self.mayNotRead(key) }
        }
        if let replay = request.replay {
            do {
                joined.replay = try await authorizer.history(of: key.name, replay, for: caller.principal)
            } catch {
                throw ChannelFault(.unableToReplay, "The messages cannot be read")
            }
        }
        if !request.changes.isEmpty {
            guard let feed, feed.state.isRunning else {
                throw ChannelFault(
                    .unableToSubscribe,
                    feed?.state.reason ?? "The change feed is switched off (realtime-enabled).")
            }
            for entry in request.changes { try await covered(entry, feed) }
            joined.seats = try await changes.reserve(
                request.changes, topic: key.wireName, version: version, principal: caller.principal)
        }
        return joined
    }

    /// Waits until the feed brings the changes of a table: one that was just made is not published yet.
    private func covered(_ entry: JoinRequest.Changes, _ feed: ChangeFeed) async throws(ChannelFault) {
        guard let name = entry.table else { return }
        for _ in 0..<Self.coverageAttempts {
            guard feed.state.isRunning else { return }
            // What is wrong with the table itself, subscribing says better.
            guard let table = try? await book.table(schema: entry.schema, name: name) else { return }
            if feed.coverage.covers(table.oid) { return }
            try? await Task.sleep(for: Self.coverageInterval)
        }
        throw ChannelFault(
            .unableToSubscribe,
            "The changes of \(entry.schema).\(name) are not published: the table needs a primary key or another "
                + "replica identity, and has to be in the publication.")
    }

    private static let coverageAttempts = 80
    private static let coverageInterval = Duration.milliseconds(100)

    /// The same questions again, for another token.
    func refresh(
        _ key: TopicKey, _ request: JoinRequest, _ caller: RealtimeCaller, version: ChannelVersion
    ) async throws(ChannelFault) -> RealtimeConnection.Joined {
        var joined = RealtimeConnection.Joined()
        if key.isPrivate {
            joined.access = try await topicAccess(key, caller)
            guard joined.access.mayJoin else { throw Self.mayNotRead(key) }
        }
        joined.seats = try await changes.reserve(
            request.changes, topic: key.wireName, version: version, principal: caller.principal)
        return joined
    }

    /// Ends what a channel takes part in. On its event loop.
    func forget(_ channel: RealtimeChannel) {
        channel.shardLeave()
        presence.untrack(channel)
        changes.leave(channel)
    }

    // MARK: - Broadcasting

    /// Brings a broadcast to the other event loops and nodes.
    ///
    /// - Parameter origin: the shard that has had it already; nil for none.
    func spread(_ broadcast: Broadcast, to key: TopicKey, from origin: RealtimeShard?) {
        counters.broadcasts.increment()
        shards.post(.broadcast(key, broadcast), except: origin)
        nodes.send(.broadcast(key, broadcast))
    }

    private func receive(_ message: NodeMessage) {
        switch message {
        case .broadcast(let key, let broadcast): shards.post(.broadcast(key, broadcast))
        case .interrupted, .presence: presence.receive(message)
        }
    }

    func topicAccess(_ key: TopicKey, _ caller: RealtimeCaller) async throws(ChannelFault) -> TopicAccess {
        do {
            return try await authorizer.access(to: key.name, for: caller.principal)
        } catch {
            throw ChannelFault(.database, "The database cannot be asked: \(error.message)")
        }
    }

    private static func mayNotRead(_ key: TopicKey) -> ChannelFault {
        ChannelFault(
            .unauthorized, "You do not have permissions to read from this Channel topic: \(key.name)")
    }
}

extension RealtimeChannel {
    /// On the event loop.
    fileprivate func shardLeave() {
        guard isJoined else { return }
        isJoined = false
        connection.shard.leave(self)
    }
}

/// The shards of all event loops.
final class ShardSet: Sendable {
    private let shards = Mutex<[ObjectIdentifier: RealtimeShard]>([:])

    func shard(of eventLoop: any EventLoop) -> RealtimeShard {
        shards.withLock { shards in
            if let known = shards[ObjectIdentifier(eventLoop)] { return known }
            let shard = RealtimeShard(eventLoop: eventLoop)
            shards[ObjectIdentifier(eventLoop)] = shard
            return shard
        }
    }

    func post(_ delivery: RealtimeShard.Delivery, except origin: RealtimeShard? = nil) {
        let all = shards.withLock { Array($0.values) }
        for shard in all where shard !== origin { shard.post(delivery) }
    }
}

/// A counter of `/metrics` that may be counted from anywhere.
struct SharedCounter: Sendable {
    private let counter: Counter

    init(_ name: String) { counter = Counter(label: name) }

    func increment(by amount: Int = 1) { counter.increment(by: amount) }
}

/// Waits until the task is cancelled.
private func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    await withTaskCancellationHandler {
        for await _ in stream {}
    } onCancel: {
        continuation.finish()
    }
}

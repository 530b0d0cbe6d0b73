import ApusFaults
import ApusPostgres
package import Logging

/// Keeps the feed of this node going: holds the slot, or stands by to take it over.
///
/// The slot itself is the lock: PostgreSQL lets one connection stream from it, and frees it when that connection
/// ends or has been silent for four seconds.
package final class FeedService: Sendable {
    private let feed: ChangeFeed
    private let settings: FeedSettings
    private let logger: Logger
    private let database: Database
    private let relay: RedisFeedRelay?

    /// - Parameter relay: brings the feed from and to other nodes; nil without a bus.
    package init(
        _ feed: ChangeFeed, settings: FeedSettings, relay: RedisFeedRelay? = nil, logger: Logger
    ) {
        self.relay = relay
        self.feed = feed
        self.settings = settings
        self.logger = logger
        var configuration = DatabaseConfiguration(connectionString: settings.connectionString)
        // One may wait long for a slot to be made; another looks after its health.
        configuration.connections = 2
        configuration.preparesStatements = false
        configuration.sessionParameters = [("application_name", "apus-feed")]
        configuration.shutdownTimeout = .seconds(1)
        database = Database(configuration, logger: logger)
    }

    /// Returns when the task is cancelled.
    package func run() async {
        var wait = FeedWait()
        while !Task.isCancelled {
            do {
                let stood = try await turn()
                wait.reset()
                if stood { try? await Task.sleep(for: settings.standbyInterval) }
            } catch {
                guard !Task.isCancelled else { break }
                report(error as? Fault ?? Fault(code: "APUS608", kind: .internal, message: "\(error)"))
                try? await Task.sleep(for: wait.next())
            }
        }
        await database.shutdown()
    }

    // MARK: - Non public

    /// Reads the slot until that ends. True when another node has it.
    private func turn() async throws -> Bool {
        let facts = try await facts()
        let publishing = publishing(facts)
        try await publishing.reconcile()
        let making = SlotMaking(
            name: settings.slot ?? "apus_\(facts.databaseOID)", facts: facts, database: database)
        let slot = try await making.ready()
        if slot.status.isActive {
            await lookAfter(publishing, making.name)
            guard let relay else {
                stand(by: slot)
                return true
            }
            try await follow(slot, making, publishing, relay)
            return false
        }
        await lookAfter(publishing, making.name)
        let isComplete =
            await relay?.catchUp(feed, epoch: slot.epoch, confirmed: slot.status.confirmed) ?? false
        feed.begin(slot, isComplete: isComplete)
        try await read(slot, making, facts, publishing)
        return false
    }

    private func facts() async throws -> ServerFacts {
        let facts: ServerFacts
        do throws(PostgresFault) { facts = try await ServerFacts.read(database) } catch {
            throw FeedFault.database(error)
        }
        guard facts.walLevel == "logical" else { throw FeedFault.walLevel(facts.walLevel) }
        guard facts.replicates else { throw FeedFault.replication(role: facts.role) }
        if facts.slotLimit < 0, feed.learn(unlimitedSlots: true) {
            logger.warning(
                "max_slot_wal_keep_size is not set: a slot that nobody reads can fill the server's disk")
        }
        return facts
    }

    private func publishing(_ facts: ServerFacts) -> Publishing {
        Publishing(
            name: settings.publication, schemas: settings.schemas, facts: facts, database: database,
            logger: logger)
    }

    private func stand(by slot: ReadySlot) {
        if case .standby = feed.state { return }
        logger.info("another node reads the change feed; standing by")
        feed.become(.standby)
    }

    /// Takes what another node reads, until that node is gone.
    private func follow(
        _ slot: ReadySlot, _ making: SlotMaking, _ publishing: Publishing, _ relay: RedisFeedRelay
    ) async throws {
        logger.info("another node reads the change feed; following", metadata: ["epoch": "\(slot.epoch)"])
        let (feed, interval) = (feed, settings.standbyInterval)
        // Which tables the feed brings, every node has to know for itself.
        let health = Task { await watch(publishing, making.name, mends: false) }
        defer { health.cancel() }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await relay.follow(feed, epoch: slot.epoch, confirmed: slot.status.confirmed)
                }
                group.addTask {
                    while case let now = try await making.ready(), now.status.isActive,
                        now.epoch == slot.epoch
                    {
                        try await Task.sleep(for: interval)
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch let failure as RedisFailure {
            throw FeedFault.bus(failure.message)
        } catch is MalformedEntry {
            throw FeedFault.bus("another node wrote what this one cannot read.")
        }
    }

    private func read(
        _ slot: ReadySlot, _ making: SlotMaking, _ facts: ServerFacts, _ publishing: Publishing
    ) async throws {
        let reader = try SlotReader(
            .init(
                stream: .init(
                    connectionString: settings.connectionString, slot: making.name,
                    publication: settings.publication),
                position: slot.status.confirmed < feed.caughtUp ? feed.caughtUp : .zero,
                makeAssembler: { [settings] in
                    TransactionAssembler(
                        epoch: slot.epoch, partBytes: settings.partBytes,
                        spool: .init(directory: settings.spillDirectory),
                        relations: RelationRegistry(types: facts.types),
                        xids: TransactionIDs(reference: facts.transactionID))
                },
                confirmation: Confirmation(
                    window: settings.resumeWindow.microseconds, byteLimit: UInt64(settings.logBytes),
                    start: slot.status.confirmed)),
            sink: .init(
                began: { [feed, logger] in
                    feed.become(.running(isReader: true))
                    logger.info(
                        "reading the change feed",
                        metadata: ["slot": "\(making.name)", "epoch": "\(slot.epoch)"])
                },
                append: { [feed] in feed.append($0) }, advance: { [feed] in feed.log.advance(to: $0) },
                published: { [feed, relay] in relay.map { min($0.published, feed.caughtUp) } ?? feed.caughtUp
                }),
            logger: logger)
        relay?.reset(to: slot.status.confirmed)
        let publisher = Task { [relay, feed, settings] in
            await relay?.publish(feed, epoch: slot.epoch, holdBack: 4 * settings.logBytes)
        }
        defer { publisher.cancel() }
        feed.reads(by: reader)
        defer { feed.reads(by: nil) }
        let health = Task { await watch(publishing, making.name, mends: true) }
        defer { health.cancel() }
        do throws(SlotReader.Failure) {
            try await reader.run()
        } catch {
            switch error {
            case .database(let fault): try ended(fault, making.name)
            case .feed(let failure): throw FeedFault.stream(failure)
            }
        }
    }

    /// The stream has ended; what that means.
    private func ended(_ fault: PostgresFault, _ slot: String) throws {
        // Another node was faster (object_in_use): stand by.
        if fault.sqlState == "55006" { return }
        throw fault.kind == .server ? FeedFault.slot(slot, fault) : FeedFault.database(fault)
    }

    /// Looks at slot and publication again and again.
    ///
    /// - Parameter mends: whether it adds what the publication lacks: the node that reads does.
    private func watch(_ publishing: Publishing, _ slot: String, mends: Bool) async {
        while await feed.needsCare(within: settings.healthInterval) {
            do { if mends { try await publishing.reconcile() } } catch {
                logger.warning(
                    "the publication cannot be mended",
                    metadata: ["reason": "\((error as? Fault)?.message ?? "\(error)")"])
            }
            await lookAfter(publishing, slot)
        }
    }

    private func lookAfter(_ publishing: Publishing, _ slot: String) async {
        guard let coverage = try? await publishing.coverage() else { return }
        feed.cover(coverage)
        guard let status = try? await SlotStatus.read(slot, database) else { return }
        feed.learn(status)
        if let safe = status.safeBytes, safe < status.retainedBytes / 4 {
            logger.warning(
                "the replication slot may soon be lost",
                metadata: ["retainedBytes": "\(status.retainedBytes)", "safeBytes": "\(safe)"])
        }
    }

    private func report(_ fault: Fault) {
        if case .unavailable(let known) = feed.state, known == fault { return }
        feed.become(.unavailable(fault))
        logger.warning(
            "no change feed",
            metadata: [
                "code": "\(fault.code)", "reason": "\(fault.message)", "hint": "\(fault.hint ?? "")",
            ])
    }
}

/// How long to wait after a failure: longer each time, up to five seconds.
private struct FeedWait {
    private var failures = 0

    mutating func next() -> Duration {
        defer { failures += 1 }
        let step = min(5_000, 100 << min(failures, 6))
        return .milliseconds(Int.random(in: step / 2...step))
    }

    mutating func reset() { failures = 0 }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}

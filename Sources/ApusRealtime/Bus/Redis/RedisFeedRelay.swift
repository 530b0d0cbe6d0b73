import ApusPostgres
package import Logging

/// Brings the feed from the node that reads the slot to the others, through a Redis Stream.
///
/// The reading node publishes what is in its log, and again what Redis has lost meanwhile, as long as the log holds
/// it. Each entry names the position that it follows, so a node that missed something knows.
package final class RedisFeedRelay: Sendable {
    let bus: RedisBus
    let logger: Logger
    private let publishedLSN = Locked(LSN.zero)

    package init(_ bus: RedisBus, logger: Logger) {
        self.bus = bus
        self.logger = logger
    }

    /// Everything that committed up to here is in Redis.
    var published: LSN { publishedLSN.withLock { $0 } }

    func reset(to lsn: LSN) { publishedLSN.withLock { $0 = lsn } }

    func note(_ progress: RedisFeedStream.Progress, epoch: UInt64) {
        publishedLSN.withLock { $0 = max($0, progress.caughtUp) }
        bus.publish(Self.progressTopic(epoch), Array(progress.text.utf8))
    }

    /// What the reading node says when it has published.
    static func progressTopic(_ epoch: UInt64) -> String { "!feed:\(epoch)" }

    /// Where other nodes ask it to say where it stands.
    static let askTopic = "!feed-ask"

    func connect(epoch: UInt64) async throws -> RedisFeedStream {
        RedisFeedStream(
            connection: try await RedisConnection.connect(bus.address, on: bus.group), prefix: bus.prefix,
            epoch: epoch)
    }
}

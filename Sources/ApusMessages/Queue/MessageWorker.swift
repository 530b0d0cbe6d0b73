package import ApusPostgres
package import Logging

/// Delivers what waits in the queue, at least once: whatever this process was doing when it died is taken up again, by
/// it or by another node, when the lease has ended.
///
/// Each channel is a ``ChannelWorker`` of its own, so that a mail server that is away does not hold text messages up.
package struct MessageWorker: Sendable {
    /// Hands a message over; returns when the other side has taken responsibility for it.
    package typealias Deliver = @Sendable (Message) async throws(DeliveryFailure) -> Void

    private let queue: MessageQueue
    private let database: Database
    private let workers: [ChannelWorker]

    /// - Parameters:
    ///   - slots: messages that are delivered at once, a channel.
    ///   - lease: seconds after which another may take what this process has not settled.
    package init(
        queue: MessageQueue, database: Database, deliver: [Message.Channel: Deliver], slots: Int,
        lease: Int = 30, schedule: RetrySchedule = .init(), logger: Logger
    ) {
        self.queue = queue
        self.database = database
        workers = deliver.map { channel, deliver in
            ChannelWorker(
                channel: channel, queue: queue, database: database, deliver: deliver, slots: slots,
                lease: lease, schedule: schedule, logger: logger)
        }
    }

    /// Delivers until cancelled; what is under way then is given some seconds to end.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.run() } }
            group.addTask { await listen() }
            group.addTask { await clean() }
        }
    }

    // MARK: - Non public

    private func listen() async {
        for await _ in database.listen([MessageQueue.channel]) {
            for worker in workers { worker.wake() }
        }
    }

    private func clean() async {
        while !Task.isCancelled {
            try? await queue.tidy(in: database)
            try? await Task.sleep(for: .seconds(3_600))
        }
    }
}

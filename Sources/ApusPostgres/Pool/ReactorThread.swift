import Logging
import Synchronization

/// A reactor from outside: the way in, what it shows, and its end.
final class ReactorThread: Sendable {
    let mailbox = Mailbox()
    private let board = StatisticsBoard()
    private let termination = Termination()
    /// Sessions that have a connection of it, or wait for one.
    let sessions = Atomic<Int>(0)

    /// Starts the thread. Without one, everything is answered with ``stopped``.
    init(_ configuration: DatabaseConfiguration, logger: Logger) {
        let (mailbox, board, termination) = (mailbox, board, termination)
        do throws(WireFailure) {
            try detachThread {
                Self.run(configuration, mailbox, board, logger)
                termination.signal()
            }
        } catch {
            logger.critical("Cannot start the database driver", metadata: ["reason": "\(error.message)"])
            Self.failAll(in: mailbox)
            termination.signal()
        }
    }

    deinit { stop() }

    /// Has it take no more work, and end when what is there is done.
    func stop() { mailbox.post(.stop) }

    /// Returns when it has ended.
    func end() async { await termination.wait() }

    var statistics: PoolStatistics { board.current }

    static let stopped = PostgresFault(.shutdown, "The database driver has been stopped.")

    // MARK: - Non public

    private static func run(
        _ configuration: DatabaseConfiguration, _ mailbox: Mailbox, _ board: StatisticsBoard, _ logger: Logger
    ) {
        do throws(WireFailure) {
            try Reactor(configuration: configuration, mailbox: mailbox, board: board, logger: logger).run()
        } catch {
            logger.critical("Cannot start the database driver", metadata: ["reason": "\(error.message)"])
            failAll(in: mailbox)
        }
    }

    private static func failAll(in mailbox: Mailbox) {
        for case .submit(let submission) in mailbox.close() { submission.completion(.failure(stopped)) }
    }
}

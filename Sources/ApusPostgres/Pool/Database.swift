package import ApusSQL
package import Logging
import Synchronization

/// A PostgreSQL database: a pool of pipelined connections behind reactors, each a thread with its share of them.
///
/// ## Topics
/// - One round trip: ``execute(_:timeout:)``, ``query(_:timeout:)``, and ``submit(_:deadline:completion:)``
///   for the hot path.
/// - A connection of one's own: ``withSession(_:)``, ``withTransaction(_:)``.
/// - Notifications: ``listen(_:)``.
///
/// Works from the moment it is made; ``run()`` ties its life to a service group. Every call is answered:
/// with rows, or with a fault, also when the driver stops.
package final class Database: Sendable {
    package let configuration: DatabaseConfiguration
    /// Each with its share of the connections.
    private let reactors: [ReactorThread]
    private let turn = Atomic<Int>(0)
    /// Which reactor an event loop has.
    private let reactorsOfLoops = Locked<[ObjectIdentifier: ReactorThread]>([:])

    package init(_ configuration: DatabaseConfiguration, logger: Logger) {
        self.configuration = configuration
        reactors = configuration.shares.map { ReactorThread($0, logger: logger) }
    }

    // MARK: - Life

    /// Returns when the driver has stopped; cancelling the task stops it.
    package func run() async throws {
        await withTaskCancellationHandler {
            for reactor in reactors { await reactor.end() }
        } onCancel: {
            for reactor in reactors { reactor.stop() }
        }
    }

    /// Refuses new work, waits for what is there, at the most `shutdownTimeout`, and closes.
    package func shutdown() async {
        for reactor in reactors { reactor.stop() }
        for reactor in reactors { await reactor.end() }
    }

    package var statistics: PoolStatistics { reactors.reduce(PoolStatistics()) { $0 + $1.statistics } }

    /// As `PQserverVersion`, for instance 150004; nil before the first connection.
    package var serverVersion: Int? { statistics.serverVersion }

    // MARK: - Round trips

    /// Sends a round trip; the hot path. `completion` is called once, on the reactor's thread, which it must
    /// not hold up; when the driver has stopped, at once and here.
    @discardableResult
    package func submit(
        _ trip: RoundTrip, deadline: ContinuousClock.Instant? = nil,
        completion: @escaping @Sendable (Result<[Rows], PostgresFault>) -> Void
    ) -> Submission {
        let mailbox = next.mailbox
        let submission = Submission(
            .trip(trip), deadline: MonotonicTime(deadline), mailbox: mailbox, completion: completion)
        if !mailbox.post(.submit(submission), isNewWork: true) { completion(.failure(ReactorThread.stopped)) }
        return submission
    }

    /// A way to and from an event loop, for the hot path.
    ///
    /// - Parameters:
    ///   - loop: whose it is; an event loop has one reactor, always the same.
    ///   - execute: has the event loop run something, after what it is doing now.
    package func lane(
        of loop: ObjectIdentifier, execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) -> Lane {
        let reactor = reactorsOfLoops.withLock { known in
            let reactor = known[loop] ?? reactors[known.count % reactors.count]
            known[loop] = reactor
            return reactor
        }
        return Lane(mailbox: reactor.mailbox, execute: execute)
    }

    /// The rows of the steps that keep them. Cancelling the task cancels the statement in the server.
    @discardableResult
    package func execute(_ trip: RoundTrip, timeout: Duration? = nil) async throws(PostgresFault) -> [Rows] {
        try await next.mailbox.perform(.trip(trip), timeout: timeout, isNewWork: true).get()
    }

    /// One statement, not kept prepared.
    @discardableResult
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresFault) -> Rows {
        try await execute(RoundTrip(steps: [.init(Statement(sql))]), timeout: timeout).only()
    }

    // MARK: - Sessions

    /// Checks a connection out for `body`. It goes back clean, or is closed when in doubt.
    @discardableResult
    package func withSession<R: Sendable>(_ body: (Session) async throws -> R) async throws -> R {
        // The one with the fewest, whose connections are the likeliest to be free.
        let reactor = reactors.min {
            $0.sessions.load(ordering: .relaxed) < $1.sessions.load(ordering: .relaxed)
        }
        guard let reactor else { throw ReactorThread.stopped }
        reactor.sessions.add(1, ordering: .relaxed)
        defer { reactor.sessions.subtract(1, ordering: .relaxed) }
        let session = try await checkOut(of: reactor.mailbox)
        defer { reactor.mailbox.post(.release(session.id)) }
        return try await body(session)
    }

    /// Runs `body` between BEGIN and COMMIT, and rolls back when it throws. A connection that is lost during
    /// COMMIT throws a fault that says that it may have happened.
    @discardableResult
    package func withTransaction<R: Sendable>(_ body: (Session) async throws -> R) async throws -> R {
        try await withSession { session in
            try await session.query("begin")
            let result: R
            do {
                result = try await body(session)
            } catch {
                await session.rollBack()
                throw error
            }
            try await session.commit()
            return result
        }
    }

    // MARK: - Notifications

    /// Listens on a connection of its own until the stream's reader ends, and connects again when it is
    /// lost. A reader that is more than 10,000 messages behind loses messages and hears `reconnected`.
    package func listen(_ channels: [String]) -> AsyncStream<DatabaseNotification> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: DatabaseNotification.self, bufferingPolicy: .bufferingOldest(10_000))
        let listener = Listener(channels: channels, continuation: continuation)
        let mailbox = reactors[0].mailbox
        continuation.onTermination = { [weak listener] _ in
            if let listener { mailbox.post(.unlisten(listener)) }
        }
        if !mailbox.post(.listen(listener), isNewWork: true) { listener.finish() }
        return stream
    }

    // MARK: - Non public

    /// In turns.
    private var next: ReactorThread {
        reactors[abs(turn.add(1, ordering: .relaxed).oldValue % reactors.count)]
    }

    private func checkOut(of mailbox: Mailbox) async throws(PostgresFault) -> Session {
        let session = Session(id: SessionID(), mailbox: mailbox)
        _ = try await mailbox.perform(.checkOut, session: session.id, isNewWork: true).get()
        return session
    }
}

extension [Rows] {
    /// The rows of a trip of one step.
    package func only() throws(PostgresFault) -> Rows {
        guard let rows = first else { throw PostgresFault(.protocol, "The statement gave no result.") }
        return rows
    }
}

import ApusPostgres
import Logging
import Synchronization

/// Reads the slot on a thread of its own, until it is stopped or the stream ends.
final class SlotReader: Sendable {
    /// What the thread needs to begin.
    struct Start: Sendable {
        var stream: ReplicationStream.Configuration
        /// Where to begin, or zero for what the slot confirmed last.
        var position: LSN
        var makeAssembler: @Sendable () -> TransactionAssembler
        var confirmation: Confirmation
    }

    /// Who takes what is read; called on the thread.
    struct Sink: Sendable {
        /// The server has begun to stream.
        var began: @Sendable () -> Void
        var append: @Sendable (FeedTransaction) -> Void
        var advance: @Sendable (LSN) -> Void
        /// All up to here is safe, in the log of this node and on the bus.
        var published: @Sendable () -> LSN
    }

    enum Failure: Error, Sendable {
        case database(PostgresFault)
        case feed(FeedFailure)
    }

    private static let statusInterval: Int64 = 1_000_000

    private let start: Start
    private let sink: Sink
    private let logger: Logger
    private let interruption: ReplicationStream.Interruption
    private let isStopped = Atomic(false)
    private let wantsProgress = Atomic(false)

    init(_ start: Start, sink: Sink, logger: Logger) throws(PostgresFault) {
        self.start = start
        self.sink = sink
        self.logger = logger
        interruption = try ReplicationStream.Interruption()
    }

    /// Returns when the task is cancelled; throws when the stream ended.
    func run() async throws(Failure) {
        let result: Result<Void, Failure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(WireFailure) {
                    try detachThread { continuation.resume(returning: self.read()) }
                } catch {
                    continuation.resume(
                        returning: .failure(.database(PostgresFault(.unavailable, error.message))))
                }
            }
        } onCancel: {
            isStopped.store(true, ordering: .releasing)
            interruption.interrupt()
        }
        try result.get()
    }

    /// Asks the server where it stands, so that ``Sink/advance`` comes soon although nothing is written.
    func requestProgress() {
        wantsProgress.store(true, ordering: .releasing)
        interruption.interrupt()
    }

    // MARK: - On the thread

    private func read() -> Result<Void, Failure> {
        do throws(Failure) {
            var loop = Loop(start, sink, try connect())
            while !isStopped.load(ordering: .acquiring) {
                try loop.turn()
                if wantsProgress.exchange(false, ordering: .acquiringAndReleasing) {
                    try loop.sendStatus(wantsReply: true)
                }
            }
            // What has been confirmed need not be read again by the next.
            try loop.sendStatus(wantsReply: false)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func connect() throws(Failure) -> ReplicationStream {
        do throws(PostgresFault) {
            let stream = try ReplicationStream(start.stream, interruption: interruption, logger: logger)
            try stream.start(after: start.position)
            sink.began()
            return stream
        } catch {
            throw .database(error)
        }
    }

    /// The thread's state.
    private struct Loop {
        let sink: Sink
        let stream: ReplicationStream
        var assembler: TransactionAssembler
        var confirmation: Confirmation
        var received: LSN
        var nextStatus = WallClock.microseconds()

        init(_ start: Start, _ sink: Sink, _ stream: ReplicationStream) {
            self.sink = sink
            self.stream = stream
            assembler = start.makeAssembler()
            confirmation = start.confirmation
            received = start.position
        }

        mutating func turn() throws(Failure) {
            let now = WallClock.microseconds()
            // The clock may be set back.
            if now >= nextStatus || nextStatus - now > SlotReader.statusInterval {
                try sendStatus(wantsReply: stream.isQuiet)
            }
            switch try next() {
            case .message(let bytes): try take(bytes)
            case .keepalive(let end, let wantsReply):
                if !assembler.isInsideTransaction { advance(to: end) }
                if wantsReply { try sendStatus(wantsReply: false) }
            case .nothing, .interrupted: return
            }
        }

        mutating func sendStatus(wantsReply: Bool) throws(Failure) {
            let now = WallClock.microseconds()
            nextStatus = now + SlotReader.statusInterval
            confirmation.note(sink.published(), at: now)
            do throws(PostgresFault) {
                try stream.sendStatus(
                    received: max(received, confirmation.position), flushed: confirmation.position,
                    wantsReply: wantsReply)
            } catch { throw .database(error) }
        }

        private func next() throws(Failure) -> ReplicationStream.Event {
            do throws(PostgresFault) {
                return try stream.next(within: .milliseconds(250))
            } catch { throw .database(error) }
        }

        private mutating func take(_ bytes: [UInt8]) throws(Failure) {
            var failure: Failure?
            var outputs: LSN?
            let (sink, stream, position) = (sink, stream, confirmation.position)
            var due = nextStatus
            do throws(FeedFailure) {
                try assembler.take(bytes) { output in
                    switch output {
                    case .nothing(let lsn): outputs = lsn
                    case .transaction(let transaction):
                        sink.append(transaction)
                        if transaction.isLastPart { outputs = transaction.endLSN }
                        // A transaction that was spooled can take long to hand on.
                        let now = WallClock.microseconds()
                        guard now > due, failure == nil else { return }
                        due = now + SlotReader.statusInterval
                        do throws(PostgresFault) {
                            try stream.sendStatus(received: position, flushed: position)
                        } catch { failure = .database(error) }
                    }
                }
            } catch { throw .feed(error) }
            if let failure { throw failure }
            if let outputs { advance(to: outputs) }
        }

        private mutating func advance(to lsn: LSN) {
            received = max(received, lsn)
            sink.advance(lsn)
        }
    }
}

import ApusPostgres
import ApusSQL
import Synchronization

/// Asks PostgreSQL where its log is, after writes.
///
/// One question is under way at a time; it serves all writes that were answered before it was asked. So under load the
/// question is a small part of a write, and a write that comes alone waits for nothing else.
final class WritePositions: Sendable {
    /// Hears a position that lies behind the write; nil when the database does not say.
    typealias Listener = @Sendable (LSN?) -> Void

    private struct State {
        var isAsking = false
        /// For the next question.
        var waiting: [Listener] = []
    }

    private static let text = StatementText("select pg_current_wal_insert_lsn()::text")

    /// Runs a round trip.
    typealias Way =
        @Sendable (
            RoundTrip, _ completion: @escaping @Sendable (Result<[Rows], PostgresFault>) -> Void
        ) -> Void

    private let run: Way
    private let state = Mutex(State())

    /// - Parameter run: where it completes, listeners hear: on an event loop, for the writes of that loop.
    init(_ run: @escaping Way) { self.run = run }

    /// Calls `listener` with a position behind everything that has committed by now.
    func ask(_ listener: @escaping Listener) {
        let mustAsk = state.withLock { state in
            state.waiting.append(listener)
            defer { state.isAsking = true }
            return !state.isAsking
        }
        if mustAsk { askNow() }
    }

    private func askNow() {
        let listeners = state.withLock { state in
            defer { state.waiting = [] }
            if state.waiting.isEmpty { state.isAsking = false }
            return state.waiting
        }
        guard !listeners.isEmpty else { return }
        let trip = RoundTrip(steps: [.init(Statement(text: Self.text))], isReadOnly: true)
        run(trip) { [self] result in
            let position = (try? result.get())?.first.flatMap { $0.string(0, 0) }.flatMap { LSN($0) }
            askNow()
            for listener in listeners { listener(position) }
        }
    }
}

import DequeModule

/// What a connection in pipeline mode has sent and not yet had answered, and what each answer means.
///
/// Pure. libpq answers every command with one or more results and a null, in order, and every Sync with one
/// result of its own; after an error all commands up to the next Sync are answered as aborted (PostgreSQL,
/// "Pipeline Mode").
struct PipelineLedger {
    enum Command: Equatable {
        case prepare(serial: UInt64)
        /// `serial` is nil for an unnamed statement.
        /// `endsTrip`: another trip of the same transaction follows.
        case execute(serial: UInt64?, keepsRows: Bool, endsTrip: Bool = false)
        case sync
    }

    /// A result by its status.
    enum Answer {
        /// Tuples, a command tag, or an empty query.
        case success
        case error
        /// Skipped because of an error before it in the same segment.
        case aborted
        case sync
        /// The null after a command's results.
        case end
        /// A COPY began; a pipeline cannot carry it.
        case copy
    }

    enum Meaning: Equatable {
        case nothing
        /// The result belongs to the caller.
        case keep
        /// The head's own failure; `execute` tells the prepared statement that was run.
        case fail(executed: UInt64?)
        /// The statement under this serial does not exist: its preparation failed…
        case failPreparing(UInt64)
        /// …or was skipped.
        case forget(UInt64)
        /// The statement was not run, because of an error before it.
        case skip
        /// What follows belongs to the next trip of the same transaction.
        case next
        /// The transaction is over, and with it all trips in it.
        case finish
        /// The answers do not fit what was sent; the connection cannot be used any more.
        case violation
    }

    private var commands: Deque<Command> = []
    private var sawResult = false

    var isEmpty: Bool { commands.isEmpty }

    mutating func sent(_ command: Command) { commands.append(command) }

    mutating func received(_ answer: Answer) -> Meaning {
        switch answer {
        case .end:
            guard sawResult, let command = commands.first, command != .sync else { return .nothing }
            commands.removeFirst()
            sawResult = false
            if case .execute(_, _, endsTrip: true) = command { return .next }
            return .nothing
        case .sync:
            guard commands.first == .sync else { return .violation }
            commands.removeFirst()
            sawResult = false
            return .finish
        case .copy:
            return .violation
        case .error where commands.first == .sync:
            // The commit failed: deferred constraints and triggers have their say at the Sync.
            return .fail(executed: nil)
        case .success, .error, .aborted:
            guard let command = commands.first, command != .sync else { return .violation }
            sawResult = true
            return meaning(of: answer, to: command)
        }
    }

    private func meaning(of answer: Answer, to command: Command) -> Meaning {
        switch (answer, command) {
        case (.success, .execute(_, keepsRows: true, _)): .keep
        case (.error, .execute(let serial, _, _)): .fail(executed: serial)
        case (.aborted, .execute): .skip
        case (.error, .prepare(let serial)): .failPreparing(serial)
        case (.aborted, .prepare(let serial)): .forget(serial)
        default: .nothing
        }
    }
}

import ApusPostgres
import ApusSQL

/// Runs a file's statements on a session, one after the other, so that a failure can name its statement.
struct ScriptRun {
    let session: Session
    let settings: MigrationSettings

    /// Runs the file and then `record`, which writes down that it ran; in one transaction unless the file says
    /// otherwise. A transaction that could not get a lock is tried again.
    ///
    /// - Parameters:
    ///   - record: the statement to run at the end, from the time that the file took.
    ///   - onRetry: called before each attempt but the first, with its number.
    /// - Returns: the time that the file took.
    func run(
        _ file: ScriptFile, onRetry: (Int) -> Void, record: (Duration) -> SQL
    ) async throws -> Duration {
        var attempt = 1
        while true {
            do {
                return try await runOnce(file, record: record)
            } catch let failure as StatementFailure {
                let mayHelp = failure.isUndone && Self.passing.contains(failure.cause.sqlState ?? "")
                guard mayHelp, attempt < settings.attempts else { throw MigrationFault.statement(failure) }
                try await Task.sleep(for: Self.pause(after: attempt))
                attempt += 1
                onRetry(attempt)
            }
        }
    }

    // MARK: - Non public

    /// lock_not_available, deadlock_detected, serialization_failure (PostgreSQL, Appendix A).
    private static let passing: Set<String> = ["55P03", "40P01", "40001"]

    /// Twice as long each time up to five seconds, and somewhere in the upper half of that.
    private static func pause(after attempt: Int) -> Duration {
        let whole = min(5_000, 100 << min(attempt, 6))
        return .milliseconds(Int.random(in: whole / 2...whole))
    }

    private func runOnce(_ file: ScriptFile, record: (Duration) -> SQL) async throws -> Duration {
        try await session.simpleQuery(Self.cleaning)
        guard file.isTransactional else {
            let elapsed = try await runStatements(of: file)
            try await session.simpleQuery(Self.cleaning)
            try await session.query(record(elapsed))
            return elapsed
        }
        try await session.query("begin")
        do {
            let timeout = "\(settings.tableLockTimeout / .milliseconds(1))ms"
            try await session.query("select set_config('lock_timeout', \(bind: timeout), true)")
            let elapsed = try await runStatements(of: file)
            try await session.simpleQuery(Self.cleaning)
            try await session.query(record(elapsed))
            try await commit(file)
            return elapsed
        } catch {
            // A connection that cannot even roll back is lost, and the transaction with it.
            try? await session.simpleQuery("rollback")
            throw error
        }
    }

    /// A file may leave settings, a role or temporary objects behind; neither our records nor the next file
    /// shall meet them.
    private static let cleaning = "reset session authorization; reset role; reset all; discard temp"

    private func runStatements(of file: ScriptFile) async throws -> Duration {
        let start = ContinuousClock.now
        for (index, statement) in file.statements.enumerated() {
            do throws(PostgresFault) {
                try await session.simpleQuery(statement.text, timeout: settings.statementTimeout)
            } catch {
                throw Self.isFileToBlame(error) ? StatementFailure(error, of: index + 1, in: file) : error
            }
        }
        return ContinuousClock.now - start
    }

    /// Constraints that wait for the end of the transaction speak up here; the last statement stands for them.
    private func commit(_ file: ScriptFile) async throws {
        do throws(PostgresFault) {
            try await session.query("commit")
        } catch {
            guard Self.isFileToBlame(error), !file.statements.isEmpty else { throw error }
            throw StatementFailure(error, of: file.statements.count, in: file)
        }
    }

    /// Only what the server said about a statement; a lost connection is nobody's statement's fault, nor is a
    /// server that stops (class 57P).
    private static func isFileToBlame(_ fault: PostgresFault) -> Bool {
        if fault.kind == .server { return fault.sqlState?.hasPrefix("57P") != true }
        return fault.kind == .timeout || fault.kind == .invalidValue
    }
}

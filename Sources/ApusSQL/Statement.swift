import Synchronization

/// The text of a statement, made once and executed many times.
///
/// Its identity stands for its text, so a connection finds its prepared statement by one integer.
package final class StatementText: Sendable {
    private static let lastID = Atomic<UInt64>(0)

    /// Unique in this process.
    package let id: UInt64
    package let sql: String
    /// Whether a connection should keep it prepared under a name. False for texts that are not repeated.
    package let isPrepared: Bool
    /// Nanoseconds; negative until it was measured.
    private let mean = Atomic<Int64>(-1)

    package init(_ sql: String, isPrepared: Bool = true) {
        self.sql = sql
        self.isPrepared = isPrepared
        id = Self.lastID.add(1, ordering: .relaxed).newValue
    }

    /// How long it took the server lately, in nanoseconds; nil when it was not measured yet.
    package var meanDuration: Int64? {
        let mean = mean.load(ordering: .relaxed)
        return mean < 0 ? nil : mean
    }

    /// Moves the mean an eighth of the way to `duration`; the first measurement is taken as it is. One that is far above
    /// the mean counts as four times the mean: a backend that had to wait for a processor once does not make a slow
    /// statement, and one that has become slow is known as such after some executions. (Of two measurements at the same
    /// moment one may be lost.)
    package func record(duration: Int64) {
        guard let known = meanDuration else { return mean.store(max(0, duration), ordering: .relaxed) }
        let counted = min(duration, 4 * known + 50_000)
        mean.store(max(0, known + (counted - known) / 8), ordering: .relaxed)
    }
}

/// A text and the values of one execution.
package struct Statement: Sendable {
    package var text: StatementText
    package var binds: Binds

    package init(text: StatementText, binds: Binds = Binds()) {
        self.text = text
        self.binds = binds
    }

    /// A one-off statement, from SQL whose parameters are all values. A slot is bound as null.
    package init(_ sql: SQL, isPrepared: Bool = false) {
        text = StatementText(sql.text, isPrepared: isPrepared)
        binds = Binds()
        for parameter in sql.parameters {
            switch parameter {
            case .value(let value): binds.append(value)
            case .slot: binds.appendNull()
            }
        }
    }
}

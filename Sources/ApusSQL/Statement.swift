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

    package init(_ sql: String, isPrepared: Bool = true) {
        self.sql = sql
        self.isPrepared = isPrepared
        id = Self.lastID.add(1, ordering: .relaxed).newValue
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

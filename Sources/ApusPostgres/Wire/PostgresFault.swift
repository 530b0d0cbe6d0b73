import CLibPQ

/// Why a round trip, a session or a wait for one failed.
///
/// One word and a few flags in the hand, the server's fields behind a reference: it travels in the result of
/// every round trip, and most of those succeed.
package struct PostgresFault: Error, Sendable {
    package enum Kind: Sendable, Equatable {
        /// The server answered with an error; ``PostgresFault/sqlState`` says which.
        case server
        /// The connection died before the answer.
        case connectionLost
        /// The server cannot be reached.
        case unavailable
        /// The deadline passed.
        case timeout
        /// The caller's task was cancelled or its submission withdrawn.
        case cancelled
        /// Too many requests wait already.
        case poolFull
        /// No connection became free in time.
        case poolTimeout
        /// A value that PostgreSQL cannot take; nothing was sent.
        case invalidValue
        /// Something that libpq or the driver's state does not allow, for instance COPY in a pipeline.
        case `protocol`
        /// The driver is stopping or has stopped.
        case shutdown
    }

    package var kind: Kind
    /// Whether the work may have happened although this fault is the answer.
    package var mayHaveHappened: Bool
    private var fields: Fields

    /// A fault of the driver's own.
    package init(
        _ kind: Kind, _ message: String, sqlState: String? = nil, detail: String? = nil,
        mayHaveHappened: Bool = false
    ) {
        self.kind = kind
        self.mayHaveHappened = mayHaveHappened
        fields = Fields(message: message, sqlState: sqlState, detail: detail)
    }

    /// The server's own words; libpq makes such a result too when the connection broke, without SQLSTATE.
    init(result: OpaquePointer) {
        kind = .server
        mayHaveHappened = false
        fields = Fields(result: result)
    }

    // MARK: - What the server said (PostgreSQL, "Error and Notice Message Fields")

    /// Five characters (PostgreSQL, Appendix A); nil when no server spoke.
    package var sqlState: String? { fields.sqlState }
    /// `ERROR`, `FATAL` or `PANIC`, never localised.
    package var severity: String? { fields.severity }
    package var message: String { fields.message }
    package var detail: String? { fields.detail }
    package var hint: String? { fields.hint }
    /// Where in the statement, in characters from 1.
    package var position: Int? { fields.position }
    package var schemaName: String? { fields.schema }
    package var tableName: String? { fields.table }
    package var columnName: String? { fields.column }
    package var constraintName: String? { fields.constraint }
    /// The call stack in the server, innermost first.
    package var context: String? { fields.context }

    /// Whether the server ends the connection after it.
    var endsConnection: Bool { severity == "FATAL" || severity == "PANIC" }

    /// The same words under another kind.
    func with(kind: Kind) -> PostgresFault {
        var copy = self
        copy.kind = kind
        return copy
    }

    func with(mayHaveHappened: Bool) -> PostgresFault {
        var copy = self
        copy.mayHaveHappened = mayHaveHappened
        return copy
    }
}

/// The texts of a fault.
private final class Fields: Sendable {
    let message: String
    let sqlState, severity, detail, hint, schema, table, column, constraint, context: String?
    let position: Int?

    init(message: String, sqlState: String?, detail: String?) {
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        (severity, hint, schema, table, column, constraint, context) = (nil, nil, nil, nil, nil, nil, nil)
        position = nil
    }

    init(result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue else { return nil }
            return PQresultErrorField(result, Int32(ascii)).map { String(cString: $0) }
        }
        message =
            field("M")
            ?? PQresultErrorMessage(result).map { trimmingEnd(String(cString: $0)) } ?? "unknown error"
        sqlState = field("C")
        severity = field("V")
        detail = field("D")
        hint = field("H")
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
        context = field("W")
        position = field("P").flatMap { Int($0) }
    }
}

/// libpq ends its own messages with a line feed.
func trimmingEnd(_ text: String) -> String {
    var text = text[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
}

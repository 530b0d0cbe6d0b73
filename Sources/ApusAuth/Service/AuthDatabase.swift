package import ApusPostgres
package import ApusSQL
import Synchronization

/// The database as authentication sees it: every statement runs as `auth_admin`, which reaches schema `auth` only.
package struct AuthDatabase: Sendable {
    /// The role of every statement.
    package static let role = "auth_admin"

    private let database: Database
    private let texts = StatementTexts()

    package init(_ database: Database) { self.database = database }

    /// One statement, in one round trip and a transaction of its own.
    @discardableResult
    package func query(_ sql: SQL) async throws(PostgresFault) -> Rows {
        let trip = RoundTrip(
            steps: [.init(Statement(text: Self.takeRole), keepsRows: false), .init(texts.statement(sql))],
            role: Self.role)
        let answers = try await database.execute(trip)
        guard let rows = answers.first else {
            throw PostgresFault(.protocol, "The statement gave no result.")
        }
        return rows
    }

    /// Statements that travel together in one round trip and are one transaction; the rows of each.
    @discardableResult
    package func run(_ statements: [SQL]) async throws(PostgresFault) -> [Rows] {
        let steps = [RoundTrip.Step(Statement(text: Self.takeRole), keepsRows: false)]
        return try await database.execute(
            RoundTrip(steps: steps + statements.map { .init(texts.statement($0)) }, role: Self.role))
    }

    /// A transaction; `body` throwing rolls it back.
    package func transaction<R: Sendable>(
        _ body: @Sendable (AuthTransaction) async throws -> R
    ) async throws -> R {
        let texts = texts
        return try await database.withTransaction { session in
            let transaction = AuthTransaction(session: session, texts: texts)
            try await session.execute(
                RoundTrip(steps: [.init(Statement(text: Self.takeRole), keepsRows: false)], role: Self.role))
            return try await body(transaction)
        }
    }

    /// What is announced on these channels; see ``Database/listen(_:)``.
    package func listen(_ channels: [String]) -> AsyncStream<DatabaseNotification> {
        database.listen(channels)
    }

    /// Every statement here finds rows by key, so a plan made once is as good as one made for its values; PostgreSQL
    /// left to itself plans those with subselects anew each time, which took it longer than running them.
    private static let takeRole = StatementText(
        """
        select set_config('role', 'auth_admin', true), \
        set_config('plan_cache_mode', 'force_generic_plan', true)
        """)
}

/// A transaction of authentication.
package struct AuthTransaction: Sendable {
    /// The connection, already in the transaction and in the role.
    package let session: Session
    private let texts: StatementTexts

    fileprivate init(session: Session, texts: StatementTexts) {
        self.session = session
        self.texts = texts
    }

    /// One statement.
    @discardableResult
    package func query(_ sql: SQL) async throws(PostgresFault) -> Rows {
        let answers = try await session.execute(
            RoundTrip(steps: [.init(texts.statement(sql))], role: AuthDatabase.role))
        guard let rows = answers.first else {
            throw PostgresFault(.protocol, "The statement gave no result.")
        }
        return rows
    }

    /// Statements that travel together; the rows of each.
    @discardableResult
    package func run(_ statements: [SQL]) async throws(PostgresFault) -> [Rows] {
        let steps = statements.map { RoundTrip.Step(texts.statement($0)) }
        return try await session.execute(RoundTrip(steps: steps, role: AuthDatabase.role))
    }
}

/// Keeps the text of every statement, so that connections keep it prepared. Texts come from our own source, so there
/// are as many as there are statements in it; a bound guards against a mistake there.
private final class StatementTexts: Sendable {
    private let texts = Mutex<[String: StatementText]>([:])

    func statement(_ sql: SQL) -> Statement {
        let text = texts.withLock { texts in
            if let known = texts[sql.text] { return known }
            let made = StatementText(sql.text)
            if texts.count < 2_000 { texts[sql.text] = made }
            return made
        }
        var binds = Binds()
        for parameter in sql.parameters {
            switch parameter {
            case .value(let value): binds.append(value)
            case .slot: binds.appendNull()
            }
        }
        return Statement(text: text, binds: binds)
    }
}

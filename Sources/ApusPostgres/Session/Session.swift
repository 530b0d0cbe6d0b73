package import ApusSQL

/// A connection that is checked out: what it does, it does in order and on one backend, so transactions,
/// temporary tables, advisory locks and COPY are possible.
///
/// Ends with the closure it was given to; then, and when its connection is lost, everything fails with
/// `connectionLost`. COPY is in `Session+Copy.swift`.
package final class Session: Sendable {
    let id: SessionID
    let mailbox: Mailbox

    init(id: SessionID, mailbox: Mailbox) {
        self.id = id
        self.mailbox = mailbox
    }

    /// The rows of the steps that keep them. Inside a transaction block the steps are part of it. Cancelling
    /// the task cancels the statement in the server.
    @discardableResult
    package func execute(_ trip: RoundTrip, timeout: Duration? = nil) async throws(PostgresFault) -> [Rows] {
        try await mailbox.perform(.trip(trip), session: id, timeout: timeout).get()
    }

    /// One statement, not kept prepared.
    @discardableResult
    package func query(_ sql: SQL, timeout: Duration? = nil) async throws(PostgresFault) -> Rows {
        try await execute(RoundTrip(steps: [.init(Statement(sql))]), timeout: timeout).only()
    }

    /// Statements separated by semicolons, without parameters and results, for migrations. Without explicit
    /// BEGIN they are one transaction (PostgreSQL, "Multiple Statements in a Simple Query"). COPY is not
    /// possible in them.
    package func simpleQuery(_ script: String, timeout: Duration? = nil) async throws(PostgresFault) {
        _ = try await mailbox.perform(.script(script), session: id, timeout: timeout).get()
    }

    // MARK: - Non public

    /// Commits. The server answers COMMIT in a failed transaction with ROLLBACK and no error; that is a
    /// fault here.
    func commit() async throws(PostgresFault) {
        guard try await query("commit").commandTag == "COMMIT" else {
            throw PostgresFault(
                .server, "The transaction was rolled back because a statement in it failed.",
                sqlState: "25P02")
        }
    }

    /// Rolls back, also when the task is cancelled. A failure needs no answer: a connection that is not
    /// clean is not used again.
    func rollBack() async {
        let trip = RoundTrip(steps: [.init(Statement("rollback"))])
        _ = await mailbox.perform(.trip(trip), session: id, timeout: .seconds(5), isShielded: true)
    }
}

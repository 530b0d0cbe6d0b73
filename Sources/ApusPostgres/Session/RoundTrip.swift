package import ApusSQL

/// Statements that travel together and are one transaction: all of them, or none.
///
/// Without explicit `begin` they are one implicit transaction that ends at the pipeline's `Sync`
/// (PostgreSQL, "Pipeline Mode" and "Extended Query"), so a request needs one round trip.
package struct RoundTrip: Sendable {
    package struct Step: Sendable {
        package var statement: Statement
        /// Whether the caller wants the result; other steps are only checked for errors.
        package var keepsRows: Bool

        package init(_ statement: Statement, keepsRows: Bool = true) {
            self.statement = statement
            self.keepsRows = keepsRows
        }
    }

    /// What runs first; nil: nothing.
    package var opening: Opening?
    package var steps: [Step]
    /// Role and plans go together: a statement whose plan depends on row security is planned again when the
    /// role changes, so connections keep prepared statements per role. nil: the connection's own.
    package var role: String?
    /// Whether repeating it cannot do harm; such a round trip is repeated once by the driver when its
    /// connection died before an answer.
    package var isReadOnly: Bool
    /// Whether it may run in one transaction with others that have the same ``opening``: the same object, so the same
    /// role, claims and settings. Only for what is answered by one step, changes no setting, and does not wait for what
    /// others of its kind hold. When one of them fails, those that were not run, or were undone, are run again, each alone.
    package var sharesTransaction: Bool

    package init(
        opening: Opening? = nil, steps: [Step], role: String? = nil, isReadOnly: Bool = false,
        sharesTransaction: Bool = false
    ) {
        self.opening = opening
        self.steps = steps
        self.role = role
        self.isReadOnly = isReadOnly
        self.sharesTransaction = sharesTransaction
    }
}

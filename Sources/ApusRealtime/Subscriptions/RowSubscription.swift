package import ApusFaults
package import ApusPostgres

/// Somebody's wish to hear of the changes of one table, or of all tables of a schema.
package struct RowSubscription: Sendable {
    package var schema: String
    /// nil: every table of the schema, also one that is made later.
    package var table: String?
    package var kinds: Set<RowChange.Kind>
    package var filter: RowFilter
    package var principal: Principal
    /// Whether it is told how a row looked to it before an update, so that it can tell what entered and left its view.
    package var comparesOldRows: Bool

    package init(
        schema: String, table: String?, kinds: Set<RowChange.Kind>, filter: RowFilter = RowFilter(),
        principal: Principal, comparesOldRows: Bool = false
    ) {
        self.schema = schema
        self.table = table
        self.kinds = kinds
        self.filter = filter
        self.principal = principal
        self.comparesOldRows = comparesOldRows
    }
}

/// A change and who may hear of it.
package struct RowDelivery: Sendable {
    /// Whether a row is in somebody's view: it passes the policies and the filter.
    package enum Presence: Sendable, Hashable {
        case seen
        case hidden
        /// What decides did not travel with the change (a column outside of the replica identity).
        case unknown
        /// There is no such row: none before an insert, none after a delete.
        case none
    }

    package struct Recipient: Sendable {
        /// As ``RowSubscriptions/add(_:)`` gave it.
        package var subscription: UInt64
        /// Which of the columns of ``RowDelivery/table`` the subscriber may read.
        package var columns: [Bool]
        package var before: Presence
        package var after: Presence
        /// Set when the subscriber's policy or filter raised an error for this change; then neither presence is known.
        package var fault: Fault?
    }

    package let transaction: FeedTransaction
    /// Index into the transaction's changes.
    package let index: Int
    package let table: TableAccess
    package var recipients: [Recipient]

    package var change: RowChange { transaction.changes[index] }
    package var position: FeedPosition { transaction.position(of: index) }
}

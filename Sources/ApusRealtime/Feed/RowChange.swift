package import ApusPostgres

/// One value of a row: null, a large value that the update did not touch, or the type's text form.
package typealias FeedValue = ReplicatedValue

/// What a transaction did to one row, or to all of a table.
package struct RowChange: Sendable {
    package enum Kind: UInt8, Sendable {
        case insert = 0x49
        case update = 0x55
        case delete = 0x44
        /// Of the whole table; there are no rows.
        case truncate = 0x54
    }

    package var kind: Kind
    package var relation: FeedRelation
    /// The row afterwards, a value for each column of the relation; nil for deletes and truncates.
    package var new: [FeedValue]?
    /// The row before, as far as the replica identity makes it travel: whole with REPLICA IDENTITY FULL; for
    /// deletes, and for updates that changed the key, the key's columns alone, the others null. nil where
    /// nothing travelled; an update without it has kept its key.
    package var old: [FeedValue]?

    package init(kind: Kind, relation: FeedRelation, new: [FeedValue]? = nil, old: [FeedValue]? = nil) {
        self.kind = kind
        self.relation = relation
        self.new = new
        self.old = old
    }

    /// Whether a row that had another primary key before is shown with it: not where another index is the replica
    /// identity, whose columns the update left alone.
    var tellsOldKey: Bool { kind != .update || old != nil || relation.replicaIdentity == .default }

    /// Whether ``old`` holds every column and not the key's alone.
    package var oldIsWhole: Bool { old != nil && relation.replicaIdentity == .full }
}

/// What `pg_logical_emit_message` wrote.
package struct LogicalMessage: Sendable, Equatable {
    package var prefix: String
    package var content: [UInt8]
    /// Whether it was part of a transaction; otherwise it came at once, whatever its transaction did.
    package var isTransactional: Bool

    package init(prefix: String, content: [UInt8], isTransactional: Bool) {
        self.prefix = prefix
        self.content = content
        self.isTransactional = isTransactional
    }
}

package import ApusPostgres

/// The tables whose every change the feed brings.
package struct FeedCoverage: Sendable, Equatable {
    package struct Table: Sendable, Equatable {
        /// What of old rows travels.
        package var replicaIdentity: FeedRelation.ReplicaIdentity
        /// What committed after this position comes.
        package var since: LSN

        package init(replicaIdentity: FeedRelation.ReplicaIdentity, since: LSN) {
            self.replicaIdentity = replicaIdentity
            self.since = since
        }
    }

    /// By object id (`pg_class.oid`). A partitioned table stands for its partitions. Tables that are published
    /// with a row filter, some of their columns only, or without some kind of change, are left out.
    package var tables: [UInt32: Table]

    package init(tables: [UInt32: Table] = [:]) { self.tables = tables }

    /// Whether every change of this table comes.
    package func covers(_ oid: UInt32) -> Bool { tables[oid] != nil }

    /// What was known, brought up to date: a table that was covered without a break keeps its beginning.
    func updated(to newer: FeedCoverage) -> FeedCoverage {
        var result = newer
        for (oid, table) in tables where result.tables[oid] != nil {
            result.tables[oid]?.since = table.since
        }
        return result
    }
}

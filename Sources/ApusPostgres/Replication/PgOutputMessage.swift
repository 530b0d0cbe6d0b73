/// A message of PostgreSQL's logical replication protocol, version 2 (PostgreSQL, "Logical Replication Message
/// Formats"). Times are microseconds since 1970.
package enum PgOutputMessage: Sendable {
    /// What follows, up to ``commit(endLSN:time:)``, has been committed.
    case begin(commitLSN: LSN, time: Int64, xid: UInt32)
    case commit(commitLSN: LSN, endLSN: LSN, time: Int64)
    case origin
    case relation(Relation)
    /// A type that is not built in, by its object id. Domains come under the name of their base type.
    case type(oid: UInt32, schema: String, name: String)
    case insert(relation: UInt32, new: [ReplicatedValue])
    case update(relation: UInt32, old: [ReplicatedValue]?, new: [ReplicatedValue])
    case delete(relation: UInt32, old: [ReplicatedValue])
    case truncate(relations: [UInt32])
    case message(isTransactional: Bool, lsn: LSN, prefix: String, content: [UInt8])
    /// What follows, up to ``streamStop``, belongs to a large transaction that is still in progress.
    case streamStart(xid: UInt32, isFirst: Bool)
    case streamStop
    case streamCommit(xid: UInt32, commitLSN: LSN, endLSN: LSN, time: Int64)
    /// Of a subtransaction, or of the whole, where both are equal.
    case streamAbort(xid: UInt32, subtransaction: UInt32)

    package struct Relation: Sendable, Equatable {
        package struct Column: Sendable, Equatable {
            package var isKey: Bool
            package var name: String
            package var typeOID: UInt32
        }

        package var oid: UInt32
        /// Empty for `pg_catalog`.
        package var schema: String
        package var name: String
        /// As in `pg_class.relreplident`.
        package var replicaIdentity: UInt8
        package var columns: [Column]
    }
}

/// A message that is not of the protocol.
package struct MalformedMessage: Error, Sendable {
    /// The message's type, or 0 when there was none.
    package var type: UInt8
}

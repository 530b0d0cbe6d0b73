/// A table as it was when a change to it was made.
///
/// While its shape stays, it stays the same object: consumers may key what they prepared for it by
/// `ObjectIdentifier`.
package final class FeedRelation: Sendable, Equatable {
    package struct Column: Sendable, Equatable {
        package var name: String
        package var typeOID: UInt32
        /// As in `pg_type.typname`: `int8`, `_text`. A domain shows as its base type.
        package var typeName: String
        /// Whether it is part of the replica identity.
        package var isKey: Bool

        package init(name: String, typeOID: UInt32, typeName: String, isKey: Bool) {
            self.name = name
            self.typeOID = typeOID
            self.typeName = typeName
            self.isKey = isKey
        }
    }

    /// What of an old row travels (PostgreSQL, ALTER TABLE, "REPLICA IDENTITY"); the values are those of
    /// `pg_class.relreplident`.
    package enum ReplicaIdentity: UInt8, Sendable {
        /// The primary key's columns.
        case `default` = 0x64
        /// The columns of a chosen index.
        case index = 0x69
        /// The whole row.
        case full = 0x66
        /// Nothing.
        case nothing = 0x6E
    }

    /// `pg_class.oid`; for a partition, that of the partitioned table.
    package let oid: UInt32
    package let schema: String
    package let name: String
    package let columns: [Column]
    package let replicaIdentity: ReplicaIdentity

    package init(
        oid: UInt32, schema: String, name: String, columns: [Column], replicaIdentity: ReplicaIdentity
    ) {
        self.oid = oid
        self.schema = schema
        self.name = name
        self.columns = columns
        self.replicaIdentity = replicaIdentity
    }

    /// Index of the column of this name.
    package func columnIndex(_ name: String) -> Int? { columns.firstIndex { $0.name == name } }

    /// Whether the shape is the same.
    package static func == (left: FeedRelation, right: FeedRelation) -> Bool {
        left.oid == right.oid && left.schema == right.schema && left.name == right.name
            && left.replicaIdentity == right.replicaIdentity && left.columns == right.columns
    }
}

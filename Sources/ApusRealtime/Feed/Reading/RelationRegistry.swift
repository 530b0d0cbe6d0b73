import ApusPostgres

/// The relations that the stream has described, as one object each while their shape stays.
struct RelationRegistry: Sendable {
    private var relations: [UInt32: FeedRelation] = [:]
    /// `pg_type.typname` by object id.
    private var types: [UInt32: String]

    /// - Parameter types: names of the built-in types, which the stream does not describe.
    init(types: [UInt32: String]) { self.types = types }

    subscript(_ oid: UInt32) -> FeedRelation? { relations[oid] }

    mutating func define(type oid: UInt32, name: String) { types[oid] = name }

    /// The relation as described; the object of before when nothing has changed.
    mutating func define(_ description: PgOutputMessage.Relation) {
        let relation = FeedRelation(
            oid: description.oid, schema: description.schema.isEmpty ? "pg_catalog" : description.schema,
            name: description.name,
            columns: description.columns.map { column in
                .init(
                    name: column.name, typeOID: column.typeOID, typeName: types[column.typeOID] ?? "unknown",
                    isKey: column.isKey)
            }, replicaIdentity: .init(rawValue: description.replicaIdentity) ?? .default)
        if relations[relation.oid] != relation { relations[relation.oid] = relation }
    }
}

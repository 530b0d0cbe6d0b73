import ApusCatalog

/// Relations with their columns, keys and policies.
enum RelationFold {
    static func relations(of rows: CatalogRows, viewKeys: ViewKeys) -> [QualifiedName: Relation] {
        let columns = Dictionary(grouping: rows.columns, by: \.relation)
        let policies = Dictionary(grouping: rows.policies, by: \.relation)
        let indexes = Dictionary(grouping: rows.uniqueIndexes, by: \.relation)
        let labels = Dictionary(grouping: rows.enumLabels, by: \.type)
        let keys = rows.constraints.filter { $0.kind == .primaryKey }
        let primaryKeys = Dictionary(keys.map { ($0.table, $0.columns) }) { first, _ in first }

        var relations: [QualifiedName: Relation] = [:]
        relations.reserveCapacity(rows.relations.count)
        for row in rows.relations {
            let own = columns[row.oid] ?? []
            let names = Dictionary(own.map { ($0.position, $0.name) }) { first, _ in first }
            // The dialect lists a table's key in the order of the alphabet: answers show it (`Location`).
            let primaryKey =
                viewKeys.primaryKey(of: row.oid).map { $0.compactMap { names[$0] } }
                ?? (primaryKeys[row.oid] ?? []).compactMap { names[$0] }.sorted()
            relations[row.name] = Relation(
                name: row.name, oid: row.oid, kind: row.kind, comment: row.comment,
                isInsertable: row.isInsertable, isUpdatable: row.isUpdatable, isDeletable: row.isDeletable,
                hasRowSecurity: row.hasRowSecurity,
                columns: own.map { column($0, labels: labels[$0.baseOID] ?? []) },
                primaryKey: primaryKey,
                uniqueKeys: (indexes[row.oid] ?? []).map { $0.columns.compactMap { names[$0] } },
                isPlainlyInserted: row.isPlainlyInserted,
                policies: (policies[row.oid] ?? []).map(\.policy))
        }
        return relations
    }

    private static func column(_ row: ColumnRow, labels: [EnumLabelRow]) -> Column {
        Column(
            name: row.name, type: row.type, baseType: row.baseType, nominalType: row.nominalType,
            typeOID: row.typeOID, isNullable: row.isNullable, defaultExpression: row.defaultExpression,
            generation: row.generation, maxLength: row.maxLength, enumLabels: labels.map(\.label),
            comment: row.comment)
    }
}

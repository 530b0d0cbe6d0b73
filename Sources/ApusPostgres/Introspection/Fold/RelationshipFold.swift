import ApusCatalog

/// Relationships between exposed relations: by foreign key, by foreign key through views, by junction, and by
/// functions, which take the place of a relationship of the same name.
struct RelationshipFold {
    private let rows: CatalogRows
    private let relations: [QualifiedName: Relation]
    private let viewKeys: ViewKeys
    private let names: [UInt32: QualifiedName]
    private let columnNames: [UInt32: [Int: String]]

    init(_ rows: CatalogRows, relations: [QualifiedName: Relation], viewKeys: ViewKeys) {
        self.rows = rows
        self.relations = relations
        self.viewKeys = viewKeys
        names = Dictionary(rows.relations.map { ($0.oid, $0.name) }) { first, _ in first }
        columnNames = Dictionary(grouping: rows.columns, by: \.relation).mapValues {
            Dictionary($0.map { ($0.position, $0.name) }) { first, _ in first }
        }
    }

    /// By source, in an order that is the same for the same database.
    func relationships() -> [QualifiedName: [Relationship]] {
        let links = links()
        var bySource: [QualifiedName: [Relationship]] = [:]
        for relationship in links.flatMap(\.relationships) + junctions(among: links) {
            bySource[relationship.source, default: []].append(relationship)
        }
        for computed in rows.computedRelationships {
            guard let source = names[computed.source], let target = names[computed.target] else { continue }
            bySource[source, default: []].removeAll {
                if case .computed = $0.cardinality { return false }
                return $0.target == computed.function
            }
            bySource[source, default: []].append(
                Relationship(
                    source: source, target: target,
                    cardinality: .computed(function: computed.function, returnsOne: computed.returnsOne),
                    sourceIsView: isView(source), targetIsView: isView(target)))
        }
        return bySource.mapValues { $0.sorted(by: RelationshipOrder.precedes) }
    }

    // MARK: - Foreign keys

    /// A foreign key between two relations, where either may be a view that shows the key's columns.
    private struct Link {
        let constraint: String
        let source: QualifiedName
        let target: QualifiedName
        let sourceIsView: Bool
        let targetIsView: Bool
        let columns: [Relationship.ColumnPair]
        /// The key's columns are unique in the referencing table.
        let isOneToOne: Bool

        /// Both directions.
        var relationships: [Relationship] {
            let inverse = columns.map { Relationship.ColumnPair($0.target, $0.source) }
            return [
                Relationship(
                    source: source, target: target,
                    cardinality: isOneToOne
                        ? .oneToOne(constraint: constraint, columns: columns, isParent: false)
                        : .manyToOne(constraint: constraint, columns: columns),
                    sourceIsView: sourceIsView, targetIsView: targetIsView),
                Relationship(
                    source: target, target: source,
                    cardinality: isOneToOne
                        ? .oneToOne(constraint: constraint, columns: inverse, isParent: true)
                        : .oneToMany(constraint: constraint, columns: inverse),
                    sourceIsView: targetIsView, targetIsView: sourceIsView),
            ]
        }
    }

    /// One side of a link.
    private struct End {
        let relation: QualifiedName
        let isView: Bool
        let columns: [String]
    }

    private func links() -> [Link] {
        let uniqueColumns = Dictionary(
            grouping: rows.constraints.filter { $0.kind != .foreignKey }, by: \.table
        ).mapValues { Set($0.map { Set($0.columns) }) }

        return rows.constraints.filter { $0.kind == .foreignKey }.flatMap { key -> [Link] in
            let isOneToOne = uniqueColumns[key.table]?.contains(Set(key.columns)) ?? false
            let targets = ends(of: key.targetColumns, of: key.target)
            return ends(of: key.columns, of: key.table).flatMap { source in
                targets.map { target in
                    Link(
                        constraint: key.name, source: source.relation, target: target.relation,
                        sourceIsView: source.isView, targetIsView: target.isView,
                        columns: zip(source.columns, target.columns).map { .init($0, $1) },
                        isOneToOne: isOneToOne)
                }
            }
        }
    }

    /// The table itself when it is exposed, and every exposed view that shows these columns of it.
    private func ends(of columns: [Int], of table: UInt32) -> [End] {
        let appearances = [(view: table, columns: columns)] + viewKeys.appearances(of: columns, of: table)
        return appearances.compactMap { relation, columns in
            guard let name = names[relation], let own = columnNames[relation] else { return nil }
            return End(relation: name, isView: relation != table, columns: columns.compactMap { own[$0] })
        }
    }

    // MARK: - Junctions

    /// Two foreign keys of one relation whose columns are part of its primary key make it a junction.
    private func junctions(among links: [Link]) -> [Relationship] {
        let candidates = links.filter { link in
            guard !link.isOneToOne, let key = relations[link.source]?.primaryKey else { return false }
            return link.columns.allSatisfy { key.contains($0.source) }
        }
        return Dictionary(grouping: candidates, by: \.source).values.flatMap { keys in
            keys.flatMap { first in
                keys.compactMap { second in
                    first.constraint == second.constraint ? nil : junction(first, second)
                }
            }
        }
    }

    private func junction(_ first: Link, _ second: Link) -> Relationship {
        Relationship(
            source: first.target, target: second.target,
            cardinality: .manyToMany(
                .init(
                    table: first.source, sourceConstraint: first.constraint,
                    targetConstraint: second.constraint,
                    sourceColumns: first.columns.map { .init($0.target, $0.source) },
                    targetColumns: second.columns.map { .init($0.target, $0.source) })),
            sourceIsView: first.targetIsView, targetIsView: second.targetIsView)
    }

    private func isView(_ name: QualifiedName) -> Bool { relations[name]?.isView ?? false }
}

import ApusCatalog

/// Finds the one relationship that a client means by a name and perhaps a hint.
struct RelationshipFinder {
    var catalog: Catalog
    /// The schema of the request; both ends must be in it.
    var schema: String

    /// The relationship from the relation `origin` that `name` and `hint` mean.
    ///
    /// - Throws: `relationshipNotFound`, or `relationshipAmbiguous` when there are several.
    func find(from origin: String, to name: String, hint: String?) throws(PlanFault) -> Relationship {
        let parent = QualifiedName(schema, origin)
        let matches = candidates(of: parent).filter { means($0, by: name, hint) }
        guard let match = matches.first else {
            throw .relationshipNotFound(
                PlanFault.MissingRelationship(
                    parent: origin, child: name, hint: hint, schema: schema,
                    suggestion: Suggestions(catalog: catalog).relationship(parent: parent, child: name)))
        }
        guard matches.count == 1 else {
            throw .relationshipAmbiguous(parent: origin, child: name, matches)
        }
        return match
    }

    // MARK: - Non public

    /// What leads from the parent to relations of the schema. A function that is called like a relation stands
    /// in for the foreign keys to that relation.
    private func candidates(of parent: QualifiedName) -> [Relationship] {
        let all = catalog.relationships[parent] ?? []
        let functions = Set(all.compactMap(\.computedBy))
        return all.filter { relationship in
            if let function = relationship.computedBy { return function.schema == schema }
            return relationship.target.schema == schema && !functions.contains(relationship.target)
        }
    }

    private func means(_ relationship: Relationship, by name: String, _ hint: String?) -> Bool {
        if let function = relationship.computedBy { return function.name == name }
        if relationship.isSelf { return meansSelf(relationship, by: name, hint) }
        guard let hint else {
            // A constraint or a column can only be that of a table.
            return relationship.target.name == name
                || (!relationship.targetIsView
                    && (relationship.foreignKey?.constraint == name
                        || relationship.foreignKey?.onlyPair?.source == name))
        }
        guard relationship.target.name == name else { return false }
        if case .manyToMany(let junction) = relationship.cardinality {
            return junction.table.name == hint
        }
        guard let key = relationship.foreignKey else { return false }
        return key.constraint == hint || key.onlyPair?.source == hint || key.onlyPair?.target == hint
    }

    /// One foreign key of a relation to itself gives two relationships. By convention the relation's name means
    /// the rows that refer to this one, the column's name the row that this one refers to.
    private func meansSelf(_ relationship: Relationship, by name: String, _ hint: String?) -> Bool {
        switch relationship.cardinality {
        case .oneToMany:
            guard relationship.target.name == name else { return false }
            return hint == nil || relationship.foreignKey?.onlyPair?.target == hint
        case .manyToOne:
            return hint == nil && relationship.foreignKey?.onlyPair?.source == name
        case .oneToOne, .manyToMany, .computed:
            return false
        }
    }
}

extension Relationship {
    fileprivate struct ForeignKey {
        var constraint: String
        var columns: [ColumnPair]

        /// The pair of columns of a key that is not composite.
        var onlyPair: ColumnPair? { columns.count == 1 ? columns.first : nil }
    }

    fileprivate var foreignKey: ForeignKey? {
        switch cardinality {
        case .manyToOne(let constraint, let columns), .oneToMany(let constraint, let columns),
            .oneToOne(let constraint, let columns, _):
            ForeignKey(constraint: constraint, columns: columns)
        case .manyToMany, .computed: nil
        }
    }

    fileprivate var computedBy: QualifiedName? {
        if case .computed(let function, _) = cardinality { function } else { nil }
    }
}

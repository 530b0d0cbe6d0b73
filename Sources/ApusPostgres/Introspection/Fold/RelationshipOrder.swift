import ApusCatalog

/// The order in which the relationships of one source are listed, which error details show: by target, then
/// one-to-many before many-to-one before one-to-one before many-to-many, then by constraint and columns;
/// computed ones last, by function.
enum RelationshipOrder {
    static func precedes(_ left: Relationship, _ right: Relationship) -> Bool {
        let (first, second) = (Key(left), Key(right))
        if first.isComputed != second.isComputed { return second.isComputed }
        if first.name != second.name { return first.name < second.name }
        if first.rank != second.rank { return first.rank < second.rank }
        if first.texts != second.texts { return first.texts.lexicographicallyPrecedes(second.texts) }
        return !left.isParent && right.isParent
    }

    private struct Key {
        let isComputed: Bool
        let name: QualifiedName
        let rank: Int
        let texts: [String]

        init(_ relationship: Relationship) {
            switch relationship.cardinality {
            case .oneToMany(let constraint, let columns):
                (rank, texts) = (0, [constraint] + columns.flatMap { [$0.source, $0.target] })
            case .manyToOne(let constraint, let columns):
                (rank, texts) = (1, [constraint] + columns.flatMap { [$0.source, $0.target] })
            case .oneToOne(let constraint, let columns, _):
                (rank, texts) = (2, [constraint] + columns.flatMap { [$0.source, $0.target] })
            case .manyToMany(let junction):
                rank = 3
                texts =
                    [
                        junction.table.schema, junction.table.name, junction.sourceConstraint,
                        junction.targetConstraint,
                    ]
                    + (junction.sourceColumns + junction.targetColumns).flatMap { [$0.source, $0.target] }
            case .computed(let function, _):
                (isComputed, name) = (true, function)
                (rank, texts) = (4, [relationship.target.schema, relationship.target.name])
                return
            }
            (isComputed, name) = (false, relationship.target)
        }
    }
}

extension Relationship {
    fileprivate var isParent: Bool {
        if case .oneToOne(_, _, let isParent) = cardinality { return isParent }
        return false
    }
}

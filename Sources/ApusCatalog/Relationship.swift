/// How rows of one relation lead to rows of another.
///
/// Stored once per direction: a foreign key from `orders` to `customers` gives `orders → customers`
/// (many-to-one) and `customers → orders` (one-to-many).
package struct Relationship: Sendable, Hashable {
    /// A pair of columns that must be equal.
    package struct ColumnPair: Sendable, Hashable {
        /// Column of ``Relationship/source``, or of the junction in ``Junction``.
        package var source: String
        /// Column of ``Relationship/target``.
        package var target: String

        package init(_ source: String, _ target: String) {
            self.source = source
            self.target = target
        }
    }

    /// The table in the middle of a many-to-many relationship.
    package struct Junction: Sendable, Hashable {
        package var table: QualifiedName
        /// Foreign key from the junction to the source.
        package var sourceConstraint: String
        /// Foreign key from the junction to the target.
        package var targetConstraint: String
        /// `source`: column of the source relation; `target`: column of the junction.
        package var sourceColumns: [ColumnPair]
        /// `source`: column of the target relation; `target`: column of the junction.
        package var targetColumns: [ColumnPair]

        package init(
            table: QualifiedName, sourceConstraint: String, targetConstraint: String,
            sourceColumns: [ColumnPair], targetColumns: [ColumnPair]
        ) {
            self.table = table
            self.sourceConstraint = sourceConstraint
            self.targetConstraint = targetConstraint
            self.sourceColumns = sourceColumns
            self.targetColumns = targetColumns
        }
    }

    package enum Cardinality: Sendable, Hashable {
        case manyToOne(constraint: String, columns: [ColumnPair])
        case oneToMany(constraint: String, columns: [ColumnPair])
        /// `isParent`: the source is the referenced side.
        case oneToOne(constraint: String, columns: [ColumnPair], isParent: Bool)
        case manyToMany(Junction)
        /// A function that takes a row of the source and returns rows of the target.
        case computed(function: QualifiedName, returnsOne: Bool)
    }

    package var source: QualifiedName
    package var target: QualifiedName
    package var cardinality: Cardinality
    package var sourceIsView: Bool
    package var targetIsView: Bool

    package init(
        source: QualifiedName, target: QualifiedName, cardinality: Cardinality, sourceIsView: Bool = false,
        targetIsView: Bool = false
    ) {
        self.source = source
        self.target = target
        self.cardinality = cardinality
        self.sourceIsView = sourceIsView
        self.targetIsView = targetIsView
    }

    package var isSelf: Bool { source == target }

    /// Whether a row of the source leads to at most one row of the target.
    package var isToOne: Bool {
        switch cardinality {
        case .manyToOne, .oneToOne: true
        case .oneToMany, .manyToMany: false
        case .computed(_, let returnsOne): returnsOne
        }
    }
}

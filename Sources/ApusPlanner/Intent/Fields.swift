/// A column by name, or something inside a JSON or composite column.
package struct Field: Sendable, Hashable {
    package var name: String
    package var path: [JSONStep]

    package init(name: String, path: [JSONStep] = []) {
        self.name = name
        self.path = path
    }
}

/// `->` or `->>` with a key or an index.
package struct JSONStep: Sendable, Hashable {
    package enum Operand: Sendable, Hashable {
        case key(String)
        /// As the client wrote it, with an optional sign: an index from either end.
        case index(String)
    }

    package var operand: Operand
    /// `->>`: the result is text.
    package var asText: Bool

    package init(_ operand: Operand, asText: Bool) {
        self.operand = operand
        self.asText = asText
    }
}

package enum AggregateFunction: String, Sendable, Hashable, CaseIterable {
    case sum, avg, max, min, count
}

/// An item of `select`.
package enum SelectItem: Sendable, Hashable {
    case field(SelectedField)
    case relation(EmbeddedRelation)

    package struct SelectedField: Sendable, Hashable {
        package var field: Field
        package var aggregate: AggregateFunction?
        /// Cast of the aggregate's result.
        package var aggregateCast: String?
        /// Cast of the field, before an aggregate.
        package var cast: String?
        package var alias: String?

        package init(
            field: Field, aggregate: AggregateFunction? = nil, aggregateCast: String? = nil,
            cast: String? = nil, alias: String? = nil
        ) {
            self.field = field
            self.aggregate = aggregate
            self.aggregateCast = aggregateCast
            self.cast = cast
            self.alias = alias
        }
    }

    package struct EmbeddedRelation: Sendable, Hashable {
        package enum Join: Sendable, Hashable {
            case inner, left
        }

        package var name: String
        package var alias: String?
        /// `!name`: a constraint, a column or a junction that says which relationship is meant.
        package var hint: String?
        package var join: Join?
        /// `...name(…)`: its columns appear on the level above.
        package var isSpread: Bool
        package var select: [SelectItem]

        package init(
            name: String, alias: String? = nil, hint: String? = nil, join: Join? = nil,
            isSpread: Bool = false, select: [SelectItem] = []
        ) {
            self.name = name
            self.alias = alias
            self.hint = hint
            self.join = join
            self.isSpread = isSpread
            self.select = select
        }
    }
}

package enum OrderTerm: Sendable, Hashable {
    package enum Direction: Sendable, Hashable {
        case ascending, descending
    }

    package enum Nulls: Sendable, Hashable {
        case first, last
    }

    case field(Field, Direction?, Nulls?)
    /// Ordering by a column of a to-one embedded relation.
    case related(relation: String, Field, Direction?, Nulls?)
}

package import ApusCatalog

/// One level of a read: a relation, what is taken of it, and the levels below.
package struct ReadPlan: Sendable, Hashable {
    /// How a spread level shows on the level above.
    package enum Spread: Sendable, Hashable {
        case toOne
        /// Every column becomes an array; `order` sorts inside the arrays, by columns that are selected
        /// besides (`extra`), each under its own alias.
        case toMany(extra: [ExtraColumn], order: [PlannedOrder])
    }

    package struct ExtraColumn: Sendable, Hashable {
        /// The spread relation that it comes from; nil for this level.
        package var relation: String?
        package var column: PlannedSelect

        package init(relation: String?, column: PlannedSelect) {
            self.relation = relation
            self.column = column
        }
    }

    /// `left.column = right.column`; a name or an alias in `table`.
    package struct JoinCondition: Sendable, Hashable {
        package var left: ColumnReference
        package var right: ColumnReference

        package init(left: ColumnReference, right: ColumnReference) {
            self.left = left
            self.right = right
        }
    }

    package struct ColumnReference: Sendable, Hashable {
        /// Empty schema for an alias.
        package var table: QualifiedName
        package var column: String

        package init(table: QualifiedName, column: String) {
            self.table = table
            self.column = column
        }
    }

    package var select: [PlannedSelect]
    /// The relation whose rows this level has. On the top level of a write or a call the rows come from what
    /// was written or returned, and this names their type.
    package var source: QualifiedName
    /// Alias of the source in `from`, needed where a relation is joined to itself, and on the top level of a
    /// write or a call, whose rows come from elsewhere.
    package var sourceAlias: String?
    package var filters: [PlannedCondition]
    package var order: [PlannedOrder]
    package var range: RowRange
    /// The name that the client used.
    package var name: String
    package var alias: String?
    package var hint: String?
    package var join: SelectItem.EmbeddedRelation.Join?
    /// nil on the top level.
    package var relationship: Relationship?
    package var joinConditions: [JoinCondition]
    /// Alias of the lateral subquery; unique in the plan.
    package var subqueryAlias: String
    package var spread: Spread?
    /// What the levels below add to this level's select list.
    package var embeddedSelect: [EmbeddedSelect]
    package var depth: Int
    package var children: [ReadPlan]
    /// The level was found by the name of its target although another match would win today.
    package var isLegacyTargetNameMatch: Bool

    package init(
        select: [PlannedSelect] = [], source: QualifiedName, sourceAlias: String? = nil,
        filters: [PlannedCondition] = [], order: [PlannedOrder] = [], range: RowRange = .all,
        name: String, alias: String? = nil, hint: String? = nil,
        join: SelectItem.EmbeddedRelation.Join? = nil, relationship: Relationship? = nil,
        joinConditions: [JoinCondition] = [], subqueryAlias: String = "",
        spread: Spread? = nil,
        embeddedSelect: [EmbeddedSelect] = [], depth: Int = 0, children: [ReadPlan] = [],
        isLegacyTargetNameMatch: Bool = false
    ) {
        self.select = select
        self.source = source
        self.sourceAlias = sourceAlias
        self.filters = filters
        self.order = order
        self.range = range
        self.name = name
        self.alias = alias
        self.hint = hint
        self.join = join
        self.relationship = relationship
        self.joinConditions = joinConditions
        self.subqueryAlias = subqueryAlias
        self.spread = spread
        self.embeddedSelect = embeddedSelect
        self.depth = depth
        self.children = children
        self.isLegacyTargetNameMatch = isLegacyTargetNameMatch
    }
}

/// A field with what is known of its type, for one use (output, filter, payload).
package struct PlannedField: Sendable, Hashable {
    package var name: String
    package var path: [JSONStep]
    /// Must be turned into `jsonb` before the path applies (composites and arrays).
    package var needsJSON: Bool
    /// Must become a `tsvector` for full-text search; the language, if one was given, beside it.
    package var textSearch: TextSearchConversion?
    /// Type of the column as casts need it; empty when unknown, which is no error where a value is inferred.
    package var type: String
    package var baseType: String
    /// Function of a domain representation that is applied for this use.
    package var transform: String?
    package var defaultExpression: String?
    /// Stands for the whole row (`count()` inside spreads).
    package var isWholeRow: Bool

    package struct TextSearchConversion: Sendable, Hashable {
        package var language: String?
        package init(language: String?) { self.language = language }
    }

    package init(
        name: String, path: [JSONStep] = [], needsJSON: Bool = false,
        textSearch: TextSearchConversion? = nil, type: String = "", baseType: String = "",
        transform: String? = nil, defaultExpression: String? = nil, isWholeRow: Bool = false
    ) {
        self.name = name
        self.path = path
        self.needsJSON = needsJSON
        self.textSearch = textSearch
        self.type = type
        self.baseType = baseType
        self.transform = transform
        self.defaultExpression = defaultExpression
        self.isWholeRow = isWholeRow
    }
}

package struct PlannedSelect: Sendable, Hashable {
    package var field: PlannedField
    package var aggregate: AggregateFunction?
    package var aggregateCast: String?
    package var cast: String?
    package var alias: String?

    package init(
        field: PlannedField, aggregate: AggregateFunction? = nil, aggregateCast: String? = nil,
        cast: String? = nil, alias: String? = nil
    ) {
        self.field = field
        self.aggregate = aggregate
        self.aggregateCast = aggregateCast
        self.cast = cast
        self.alias = alias
    }
}

package indirect enum PlannedCondition: Sendable, Hashable {
    case group(isNegated: Bool, LogicTree.Operator, [PlannedCondition])
    case filter(PlannedFilter)
    /// `embedded=is.null` or `not.is.null` on an embedded relation, by its subquery alias.
    case embeddedIsNull(isNegated: Bool, subqueryAlias: String)
}

package struct PlannedFilter: Sendable, Hashable {
    package var field: PlannedField
    package var isNegated: Bool
    package var operation: Operation

    package init(field: PlannedField, isNegated: Bool, operation: Operation) {
        self.field = field
        self.isNegated = isNegated
        self.operation = operation
    }
}

package enum PlannedOrder: Sendable, Hashable {
    case field(PlannedField, OrderTerm.Direction?, OrderTerm.Nulls?)
    /// By a column of an embedded to-one relation, through its subquery alias.
    case related(subqueryAlias: String, Field, OrderTerm.Direction?, OrderTerm.Nulls?)
}

/// What an embedded level contributes to the select list above it.
package enum EmbeddedSelect: Sendable, Hashable {
    package enum Shape: Sendable, Hashable {
        case object, array
    }

    /// One JSON value under `name`. `isEmpty`: nothing is selected, the level only filters.
    case json(name: String, subqueryAlias: String, shape: Shape, isEmpty: Bool)
    case spread([SpreadColumn], subqueryAlias: String)

    package struct SpreadColumn: Sendable, Hashable {
        package var name: String
        package var aggregate: AggregateFunction?
        package var aggregateCast: String?
        package var alias: String?

        package init(
            name: String, aggregate: AggregateFunction? = nil, aggregateCast: String? = nil,
            alias: String? = nil
        ) {
            self.name = name
            self.aggregate = aggregate
            self.aggregateCast = aggregateCast
            self.alias = alias
        }
    }
}

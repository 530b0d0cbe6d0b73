package import ApusCatalog

/// A change of rows of one relation, from a JSON body.
package struct WritePlan: Sendable, Hashable {
    package struct Conflict: Sendable, Hashable {
        package var resolution: Preferences.Resolution
        package var columns: [String]

        package init(resolution: Preferences.Resolution, columns: [String]) {
            self.resolution = resolution
            self.columns = columns
        }
    }

    package enum Change: Sendable, Hashable {
        /// `filters` only for `PUT`: they must name the key that the body names.
        case insert(columns: [PlannedField], conflict: Conflict?, primaryKey: [String])
        case update(columns: [PlannedField])
        case delete
    }

    /// Which of the rows that the filters find an update or delete changes: `limit` and `offset` in an order.
    package struct Page: Sendable, Hashable {
        /// Columns by which a row is known again.
        package var key: [String]
        package var order: [PlannedOrder]
        package var range: RowRange

        package init(key: [String], order: [PlannedOrder], range: RowRange) {
            self.key = key
            self.order = order
            self.range = range
        }
    }

    package var target: QualifiedName
    package var change: Change
    package var filters: [PlannedCondition]
    /// Columns that the read of the written rows needs.
    package var returning: [String]
    /// `Prefer: missing=default`: keys that are not in the body get the column's default.
    package var appliesDefaults: Bool
    /// Whether there is a body to take values from; a write without columns has none.
    package var takesBody: Bool
    /// Whether the target is a view (its rows have no `ctid`).
    package var targetIsView: Bool
    /// nil: all rows that the filters find.
    package var page: Page?

    package init(
        target: QualifiedName, change: Change, filters: [PlannedCondition], returning: [String],
        appliesDefaults: Bool, takesBody: Bool, targetIsView: Bool, page: Page? = nil
    ) {
        self.target = target
        self.change = change
        self.filters = filters
        self.returning = returning
        self.appliesDefaults = appliesDefaults
        self.takesBody = takesBody
        self.targetIsView = targetIsView
        self.page = page
    }
}

/// A call of a function.
package struct CallPlan: Sendable, Hashable {
    package enum Arguments: Sendable, Hashable {
        /// No argument at all.
        case none
        /// `name => value` for each of these, from the request's values; several operands for a variadic one.
        case direct([DirectArgument])
        /// `name => value` for each of these parameters, out of the JSON body.
        case json([Function.Parameter])
        /// The body as it is, for the one unnamed parameter.
        case body(Function.Parameter)
    }

    package struct DirectArgument: Sendable, Hashable {
        package var parameter: Function.Parameter
        package var values: [Operand]

        package init(parameter: Function.Parameter, values: [Operand]) {
            self.parameter = parameter
            self.values = values
        }
    }

    package var function: Function
    package var arguments: Arguments
    /// Columns that the read of the result needs.
    package var returning: [String]
    /// Columns that filters name, needed although they are not selected.
    package var filterColumns: [String]

    package init(
        function: Function, arguments: Arguments, returning: [String], filterColumns: [String]
    ) {
        self.function = function
        self.arguments = arguments
        self.returning = returning
        self.filterColumns = filterColumns
    }
}

import ApusCatalog

/// What is known of the columns of one relation, put on fields.
///
/// A field that is not found stays without a type. That is no error: it may be a function that is used like a
/// column, or a column of a result whose type nobody knows, and the database will say if it is neither.
struct FieldTyping {
    /// nil when the rows are of no relation.
    var relation: Relation?
    var representations: [Catalog.Conversion: Catalog.Representation]

    /// The field as it is, for instance to order by it.
    func typed(_ field: PlannedField) -> PlannedField {
        var field = field
        let column = relation?.column(field.name)
        field.type = column?.nominalType ?? ""
        field.baseType = column?.baseType ?? ""
        // A conversion of what is JSON already would keep the database from using an index.
        field.needsJSON = !field.path.isEmpty && field.type != "json" && field.type != "jsonb"
        return field
    }

    /// The field with the function that shows it in JSON, if its domain has one.
    func forOutput(_ field: PlannedField) -> PlannedField {
        let field = typed(field)
        return converted(field, from: field.type, to: "json")
    }

    /// The filter with the function that reads the client's text, if the field's domain has one.
    func typed(_ filter: PlannedFilter) -> PlannedFilter {
        var filter = filter
        filter.field = typed(filter.field)
        if case .fullText(_, let language, _) = filter.operation, !filter.field.type.isEmpty,
            filter.field.baseType != "tsvector"
        {
            filter.field.textSearch = PlannedField.TextSearchConversion(language: language)
        }
        filter.field = converted(filter.field, from: "text", to: filter.field.type)
        return filter
    }

    func typed(_ condition: PlannedCondition) -> PlannedCondition {
        switch condition {
        case .filter(let filter): .filter(typed(filter))
        case .group(let isNegated, let `operator`, let members):
            .group(isNegated: isNegated, `operator`, members.map { typed($0) })
        case .embeddedIsNull: condition
        }
    }

    /// The column to write, with the function that reads it from JSON, if its domain has one; nil when there
    /// is no such column.
    func forPayload(_ name: String) -> PlannedField? {
        guard let column = relation?.column(name) else { return nil }
        var field = typed(PlannedField(name: name))
        field.defaultExpression = column.defaultExpression
        return converted(field, from: "json", to: field.type)
    }

    /// A field that goes through a function has the type that the function takes.
    private func converted(
        _ field: PlannedField, from source: String, to target: String
    ) -> PlannedField {
        guard let found = representations[Catalog.Conversion(source, target)] else { return field }
        var field = field
        field.type = source
        field.transform = found.function
        return field
    }
}

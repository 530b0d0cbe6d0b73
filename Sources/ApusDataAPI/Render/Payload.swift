import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Rows of a JSON body

extension StatementBuilder {
    /// An item for `FROM`: the body's objects as rows, named ``Names/body``.
    ///
    /// The body is always an array by the time it is bound, so that the text is the same for one object.
    mutating func payload(_ columns: [PlannedField], appliesDefaults: Bool) -> SQL {
        let name = SQL.ident(Names.body.name)
        let json = value(.body(appliesDefaults ? .jsonbRows : .jsonRows))
        if columns.isEmpty {
            // Rows without a column, one for each object: `[{}, {}]`.
            return appliesDefaults
                ? "jsonb_array_elements(\(json)) AS \(name)" : "json_array_elements(\(json)) AS \(name)"
        }
        let definition = typed(columns.map { ($0.name, $0.type) })
        guard appliesDefaults || columns.contains(where: { $0.transform != nil }) else {
            return "json_to_recordset(\(json)) AS \(name)(\(definition))"
        }
        let items = columns.map(received).joined(separator: ", ")
        let rows: SQL =
            appliesDefaults
            ? """
            jsonb_array_elements(\(json)) AS element, \
            jsonb_to_record(\(defaults(of: columns)) || element) AS _(\(definition))
            """
            : "json_to_recordset(\(json)) AS _(\(definition))"
        return "(SELECT \(items) FROM \(rows)) AS \(name)"
    }

    /// The first object's values as the parameters of a function.
    mutating func arguments(_ parameters: [Function.Parameter]) -> SQL {
        let definition = typed(parameters.map { ($0.name, $0.castType) })
        let json = value(.body(.jsonRows))
        let rows: SQL = "SELECT * FROM json_to_recordset(\(json)) AS _(\(definition)) LIMIT 1"
        return "(\(rows)) AS \(ident: Names.body.name)"
    }

    // MARK: - Non public

    /// A column definition list. Types are as the catalog prints them.
    private func typed(_ columns: [(name: String, type: String)]) -> SQL {
        columns.map { "\(ident: $0.name) \(SQL(trusted: $0.type))" }.joined(separator: ", ")
    }

    /// A column through the function of its domain representation, where there is one.
    private func received(_ column: PlannedField) -> SQL {
        guard let transform = column.transform else { return .ident(column.name) }
        return "\(SQL(trusted: transform))(\(ident: column.name)) AS \(ident: column.name)"
    }

    /// An object of the columns' defaults, evaluated for each row; keys of the body go over it.
    private func defaults(of columns: [PlannedField]) -> SQL {
        let entries: [SQL] = columns.compactMap { column in
            guard let expression = column.defaultExpression else { return nil }
            return "\(literal: column.name), \(SQL(trusted: expression))"
        }
        return "jsonb_build_object(\(entries.joined(separator: ", ")))"
    }
}

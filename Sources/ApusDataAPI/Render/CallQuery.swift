import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Calls

extension StatementBuilder {
    /// The rows that a call returns; a scalar in a column named ``Names/scalar``.
    mutating func call(_ plan: CallPlan) -> SQL {
        let function = plan.function
        let isScalar = !function.result.isComposite
        let name = SQL.name(function.name)
        let items: SQL = isScalar ? "\(ident: Names.call.name).\(Names.scalar)" : returned(plan)
        let (before, arguments) = arguments(of: plan)
        let call: SQL =
            isScalar
            ? "(SELECT \(name)(\(arguments)) AS \(Names.scalar)) AS \(ident: Names.call.name)"
            : "\(name)(\(arguments)) AS \(ident: Names.call.name)"
        guard let before else { return "SELECT \(items) FROM \(call)" }
        return "SELECT \(items) FROM \(before), LATERAL \(call)"
    }

    // MARK: - Non public

    /// What stands between the function's brackets, and the item for `FROM` that it draws on.
    private mutating func arguments(of plan: CallPlan) -> (from: SQL?, SQL) {
        switch plan.arguments {
        case .none: return (nil, "")
        case .body(let parameter): return (nil, body(as: parameter))
        case .json(let parameters):
            let names = parameters.map { parameter in
                named(parameter, "\(SQL.column(parameter.name, of: Names.body))")
            }
            return (self.arguments(parameters), names.joined(separator: ", "))
        case .direct(let arguments):
            var list: [SQL] = []
            for argument in arguments { list.append(direct(argument)) }
            return (nil, list.joined(separator: ", "))
        }
    }

    private mutating func direct(_ argument: CallPlan.DirectArgument) -> SQL {
        let parameter = argument.parameter
        let value: SQL
        switch (parameter.isVariadic, argument.values.last) {
        case (true, _): value = self.value(.array(argument.values))
        case (false, let last?): value = self.value(last)
        case (false, nil): value = "NULL"
        }
        return named(parameter, "\(value)::\(SQL(trusted: parameter.castType))")
    }

    private func named(_ parameter: Function.Parameter, _ value: SQL) -> SQL {
        let variadic: SQL = parameter.isVariadic ? "VARIADIC " : ""
        return "\(variadic)\(ident: parameter.name) := \(value)"
    }

    /// The body for the one unnamed parameter. Types whose binary format is the bytes themselves take them so.
    private mutating func body(as parameter: Function.Parameter) -> SQL {
        switch parameter.type {
        case "bytea": value(.body(.raw(oid: TypeOID.bytea)))
        case "json": value(.body(.raw(oid: TypeOID.json)))
        case "text": value(.body(.raw(oid: TypeOID.text)))
        default: "\(value(.body(.text)))::\(SQL(trusted: parameter.type))"
        }
    }

    /// The columns that the read needs, and those that filters name; all, when none is known.
    private func returned(_ plan: CallPlan) -> SQL {
        if plan.returning.isEmpty { return "*" }
        if plan.returning.contains("*") { return .column("*", of: Names.call) }
        let extra = plan.filterColumns.filter { !plan.returning.contains($0) }
        return columns(plan.returning + extra, of: Names.call)
    }
}

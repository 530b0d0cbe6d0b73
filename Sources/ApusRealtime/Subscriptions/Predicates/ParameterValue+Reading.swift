import ApusPostgres

extension ParameterValue {
    /// Reads one row of values; nil when one is not of the kind that the parameter needs.
    static func read(_ rows: Rows, as parameters: [CompiledPolicies.Parameter]) -> [ParameterValue]? {
        let collations = parameters.count(where: { $0.collation != nil })
        guard rows.count == 1, rows.columnCount == parameters.count + collations else { return nil }
        for column in parameters.count..<rows.columnCount {
            guard deterministic.contains(rows.string(0, column) ?? "") else { return nil }
        }
        var values: [ParameterValue] = []
        for (column, parameter) in parameters.enumerated() {
            guard let value = read(rows, column, parameter) else { return nil }
            values.append(value)
        }
        return values
    }

    /// Collations in which equal texts are equal bytes, as `pg_collation_for` names them; nothing for what has none. A
    /// database's default is one of them always (PostgreSQL, "Nondeterministic Collations").
    private static let deterministic: Set<String> = ["", "\"default\"", "\"C\"", "\"POSIX\""]

    /// More elements than this are not kept for each caller.
    private static let longestArray = 100_000

    private static func read(
        _ rows: Rows, _ column: Int, _ parameter: CompiledPolicies.Parameter
    ) -> ParameterValue? {
        let type = rows.columnType(column)
        if parameter.isArray {
            guard elementKind(of: type) == parameter.kind else { return nil }
        } else if let enumType = parameter.enumTypeOID {
            guard type == enumType else { return nil }
        } else {
            guard ScalarKind(typeOID: type) == parameter.kind else { return nil }
        }
        return rows.withBytes(0, column) { bytes -> ParameterValue? in
            guard let bytes else { return .null }
            let text = Array(bytes)[...]
            guard parameter.isArray else { return Scalar(text, kind: parameter.kind).map { .scalar($0) } }
            guard let elements = ArrayText.elements(of: text), elements.count <= longestArray else {
                return nil
            }
            var set: Set<Scalar> = []
            var hasNull = false
            for element in elements {
                guard let element else {
                    hasNull = true
                    continue
                }
                guard let scalar = Scalar(element[...], kind: parameter.kind) else { return nil }
                set.insert(scalar)
            }
            return .array(set, hasNull: hasNull)
        }
    }

    /// Kind of the elements of a built-in array type (`pg_type.typelem`).
    static func elementKind(of type: UInt32) -> ScalarKind? {
        switch type {
        case 1000: .boolean
        case 1005, 1007, 1016, 1231: .number
        case 1009, 1015: .text
        case 2951: .uuid
        case 1182: .date
        case 1115: .timestamp
        case 1185: .timestamptz
        default: nil
        }
    }
}

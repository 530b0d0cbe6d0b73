/// The policies of a table for one role, as far as the process can decide them.
struct CompiledPolicies: Sendable {
    /// A value that PostgreSQL computes once for a caller.
    struct Parameter: Sendable, Hashable {
        /// An expression without columns; for a set, a query's array.
        var expression: String
        /// What kind of value it must turn out to be; otherwise PostgreSQL decides about rows as well.
        var kind: ScalarKind
        var isArray: Bool
        /// For an enum: the type's object id.
        var enumTypeOID: UInt32?

        /// An expression that names the collation which a text from a table, or an explicit one, brings along: it could
        /// be one that takes different bytes for equal. nil where there can be none.
        var collation: String? {
            guard kind == .text, expression.contains("SELECT") || expression.contains("COLLATE") else {
                return nil
            }
            return "pg_catalog.pg_collation_for(\(expression))"
        }
    }

    /// What PostgreSQL is asked for: the parameters, then the collations of those that may have one.
    var expressions: [String] { parameters.map(\.expression) + parameters.compactMap(\.collation) }

    var predicate: Predicate
    var parameters: [Parameter]
    /// Tables that the parameters read.
    var sources: Set<UInt32>
}

/// Turns policies' expressions into predicates.
///
/// Columns are compared in the process; every part without a column, be it a constant, a claim or a query about
/// memberships, is a parameter: PostgreSQL computes it once for a caller, so its meaning is PostgreSQL's own. What does
/// not fit makes the whole nil, and PostgreSQL decides about each row.
struct PolicyCompiler {
    private let table: TableAccess
    private let columns: Set<String>
    private var parameters: [CompiledPolicies.Parameter] = []

    /// nil when PostgreSQL has to decide.
    static func compile(_ table: TableAccess, _ access: RoleAccess) -> CompiledPolicies? {
        var compiler = PolicyCompiler(table)
        var permissive: [Predicate] = []
        var restrictive: [Predicate] = []
        var sources: Set<UInt32> = []
        for index in access.policies {
            let policy = table.policies[index]
            guard let text = policy.expression else { continue }
            guard policy.isPure, let predicate = compiler.compile(text) else { return nil }
            if policy.isPermissive { permissive.append(predicate) } else { restrictive.append(predicate) }
            sources.formUnion(policy.relations)
        }
        guard !permissive.isEmpty else { return nil }
        let allowed: Predicate = permissive.count == 1 ? permissive[0] : .or(permissive)
        return CompiledPolicies(
            predicate: restrictive.isEmpty ? allowed : .and([allowed] + restrictive),
            parameters: compiler.parameters, sources: sources)
    }

    private init(_ table: TableAccess) {
        self.table = table
        columns = Set(table.columns.map(\.name))
    }

    private mutating func compile(_ text: String) -> Predicate? {
        guard let expression = try? ExpressionParser.parse(text, columns: columns, table: table.name) else {
            return nil
        }
        return predicate(expression)
    }

    // MARK: - Conditions

    private mutating func predicate(_ expression: PolicyExpression) -> Predicate? {
        switch expression {
        case .column, .cast:
            guard let column = column(expression), column.kind == .boolean else { return nil }
            return .column(column)
        case .constant(let text): return .parameter(parameter(text, .boolean))
        case .query: return scalarText(expression).map { .parameter(parameter($0, .boolean)) }
        case .not(let inner): return predicate(inner).map { .not($0) }
        case .and(let items): return all(items).map { .and($0) }
        case .or(let items): return all(items).map { .or($0) }
        case .compare(let left, let symbol, let right): return comparison(left, symbol, right)
        case .quantified(let left, let symbol, let quantifier, let right):
            return quantified(left, symbol, quantifier, right)
        case .isNull(let inner, let isNegated):
            guard let column = column(inner) else { return nil }
            let test = Predicate.isNull(column: column.index)
            return isNegated ? .not(test) : test
        case .truthTest(let inner, let word, let isNegated):
            guard let condition = predicate(inner) else { return nil }
            let test = Predicate.test(
                condition, word == "TRUE" ? .isTrue : word == "FALSE" ? .isFalse : .isUnknown)
            return isNegated ? .not(test) : test
        case .isDistinct(let left, let right, let isNegated):
            guard let (left, right, _) = operands(left, right) else { return nil }
            return isNegated ? .not(.distinct(left, right)) : .distinct(left, right)
        case .exists(let query): return membership(query)
        case .opaque: return nil
        }
    }

    private mutating func all(_ items: [PolicyExpression]) -> [Predicate]? {
        var predicates: [Predicate] = []
        for item in items {
            guard let predicate = predicate(item) else { return nil }
            predicates.append(predicate)
        }
        return predicates
    }

    private mutating func comparison(
        _ left: PolicyExpression, _ symbol: String, _ right: PolicyExpression
    ) -> Predicate? {
        guard let comparison = Predicate.Comparison(rawValue: symbol),
            let (left, right, kind) = operands(left, right)
        else { return nil }
        guard kind.isOrdered || comparison == .equal || comparison == .notEqual else { return nil }
        return .compare(left, comparison, right)
    }

    /// Two sides of one kind, at least one of them a column.
    private mutating func operands(
        _ left: PolicyExpression, _ right: PolicyExpression
    ) -> (Predicate.Operand, Predicate.Operand, ScalarKind)? {
        switch (column(left), column(right)) {
        case (let left?, let right?):
            // Enums of different types cannot be compared, of one type they can.
            guard left.kind == right.kind else { return nil }
            return isPlainEnum(left) || isPlainEnum(right) ? nil : (.column(left), .column(right), left.kind)
        case (let left?, nil):
            guard let text = scalarText(right) else { return nil }
            return (.column(left), .parameter(parameter(text, left)), isPlainEnum(left) ? .text : left.kind)
        case (nil, let right?):
            guard let text = scalarText(left) else { return nil }
            return (
                .parameter(parameter(text, right)), .column(right), isPlainEnum(right) ? .text : right.kind
            )
        case (nil, nil): return nil
        }
    }

    private mutating func quantified(
        _ left: PolicyExpression, _ symbol: String, _ quantifier: PolicyExpression.Quantifier,
        _ right: PolicyExpression
    ) -> Predicate? {
        guard symbol == "=" && quantifier == .any || symbol == "<>" && quantifier == .all else { return nil }
        let operand: Predicate.Operand
        let array: Predicate.ArrayOperand
        if let column = column(left), !isPlainEnum(column), let text = arrayText(right) {
            operand = .column(column)
            array = .parameter(parameter(text, column.kind, isArray: true))
        } else if case .column(let name) = right, let text = scalarText(left),
            let index = table.columnIndex(name),
            let kind = ScalarKind(typeOID: table.columns[index].elementTypeOID),
            kind != .text || table.columns[index].isDeterministic
        {
            operand = .parameter(parameter(text, kind))
            array = .column(index: index, element: kind)
        } else {
            return nil
        }
        return quantifier == .any ? .isAny(operand, array) : .isNone(operand, array)
    }

    private mutating func membership(_ query: String) -> Predicate? {
        guard let membership = MembershipQuery(query, table: table.name),
            let column = column(.column(membership.column)), !isPlainEnum(column)
        else { return nil }
        return .isMember(.column(column), parameter: parameter(membership.keys, column.kind, isArray: true))
    }

    // MARK: - Columns

    private func column(_ expression: PolicyExpression) -> Predicate.ColumnOperand? {
        switch expression {
        case .column(let name):
            guard let index = table.columnIndex(name), let kind = table.columns[index].kind else {
                return nil
            }
            return .init(index: index, kind: kind, storedKind: kind)
        case .cast(let inner, let type): return column(inner).flatMap { cast($0, to: type) }
        default: return nil
        }
    }

    /// Casts that neither change a value nor can fail; to text, those whose text is what the feed shows.
    private func cast(_ operand: Predicate.ColumnOperand, to type: String) -> Predicate.ColumnOperand? {
        var result = operand
        let base = table.columns[operand.index].baseTypeOID
        switch (type, operand.kind) {
        case ("text", .text), ("text", .uuid), ("text", .number), ("text", .boolean),
            ("character varying", .text):
            result.kind = .text
        case ("boolean", .boolean), ("uuid", .uuid), ("date", .date),
            ("timestamp without time zone", .timestamp),
            ("timestamp with time zone", .timestamptz):
            break
        case ("numeric", .number): break
        case ("bigint", .number) where base != 1700: break
        case ("integer", .number) where base == 21 || base == 23: break
        case ("smallint", .number) where base == 21: break
        default: return nil
        }
        // An enum that became text is text, whatever its type was.
        if result.kind == .text, type == "text" {
            result.storedKind = operand.storedKind == .boolean ? .boolean : .uuid
        }
        return result
    }

    /// An enum as such: compared with values of its own type.
    private func isPlainEnum(_ operand: Predicate.ColumnOperand) -> Bool {
        table.columns[operand.index].isEnum && operand.storedKind == .text
    }

    // MARK: - Parameters

    /// An expression of one value, without columns.
    private func scalarText(_ expression: PolicyExpression) -> String? {
        switch expression {
        case .constant(let text): return text
        case .query(let text): return isFree(text) ? "(\(text))" : nil
        case .cast(let inner, let type): return scalarText(inner).map { "(\($0))::\(type)" }
        default: return nil
        }
    }

    private func arrayText(_ expression: PolicyExpression) -> String? {
        switch expression {
        case .constant(let text): return text
        case .query(let text): return isFree(text) ? "ARRAY(\(text))" : nil
        default: return nil
        }
    }

    private func isFree(_ query: String) -> Bool {
        guard let tokens = try? ExpressionLexer.tokens(of: "(" + query + ")") else { return false }
        return !ExpressionParser.mentions(tokens[...], columns, table.name)
    }

    private mutating func parameter(_ text: String, _ column: Predicate.ColumnOperand) -> Int {
        number(
            .init(
                expression: text, kind: column.kind, isArray: false,
                enumTypeOID: isPlainEnum(column) ? table.columns[column.index].baseTypeOID : nil))
    }

    private mutating func parameter(_ text: String, _ kind: ScalarKind, isArray: Bool = false) -> Int {
        number(.init(expression: text, kind: kind, isArray: isArray))
    }

    private mutating func number(_ parameter: CompiledPolicies.Parameter) -> Int {
        if let known = parameters.firstIndex(of: parameter) { return known }
        parameters.append(parameter)
        return parameters.count - 1
    }
}

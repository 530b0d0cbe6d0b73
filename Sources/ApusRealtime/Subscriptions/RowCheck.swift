import ApusFaults
import ApusPostgres
import ApusSQL

/// Asks PostgreSQL which rows of a change a caller may see: one statement for many rows, run as the caller.
///
/// The rows travel as values; they need not be in the table any more, so old rows are judged as well.
struct RowCheck: Sendable {
    let database: Database
    /// `search_path` of the caller's requests.
    let searchPath: String

    /// Rows as text, a value for each column of the table; nil is null.
    typealias Row = [ArraySlice<UInt8>?]

    /// The outcome of each condition for each row.
    ///
    /// - Throws: what a condition raises for one of the rows.
    func outcomes(
        of conditions: [SQL], for rows: [Row], in table: TableAccess, as principal: Principal
    ) async throws(PostgresFault) -> [[Bool]] {
        guard !rows.isEmpty else { return [] }
        let statement = Self.statement(conditions, rows, table)
        let answer = try await run(statement, as: principal)
        var outcomes = Array(repeating: Array(repeating: false, count: conditions.count), count: rows.count)
        for row in 0..<answer.count {
            guard let number = answer.int(row, 0), outcomes.indices.contains(number - 1) else { continue }
            for column in conditions.indices {
                outcomes[number - 1][column] = answer.bool(row, column + 1) ?? false
            }
        }
        return outcomes
    }

    /// Which of the keys are those of rows that the caller sees in the table now.
    ///
    /// - Parameter keys: for each row a value for each of ``TableAccess/key``, as text.
    func visible(
        keys: [Row], in table: TableAccess, as principal: Principal
    ) async throws(PostgresFault) -> [Bool] {
        guard !keys.isEmpty, !table.key.isEmpty else { return [] }
        let columns = table.key.compactMap { name in table.columnIndex(name).map { table.columns[$0] } }
        let source = Self.source(columns, rows: keys)
        let matches = columns.indices.map { index -> SQL in
            "t.\(ident: columns[index].name) = u.\(Self.column(index))::\(SQL(trusted: columns[index].typeName))"
        }.joined(separator: " and ")
        let answer = try await run(
            """
            select u.ord from \(source) join \(ident: table.schema, table.name) t on \(matches)
            """, as: principal)
        var visible = Array(repeating: false, count: keys.count)
        for row in 0..<answer.count {
            if let number = answer.int(row, 0), visible.indices.contains(number - 1) {
                visible[number - 1] = true
            }
        }
        return visible
    }

    /// Values of expressions that name no column, computed as the caller.
    func values(of expressions: [String], as principal: Principal) async throws(PostgresFault) -> Rows {
        let items = expressions.map { SQL(trusted: "(\($0))") }.joined(separator: ", ")
        return try await run("select \(items)", as: principal)
    }

    // MARK: - Non public

    private func run(_ query: SQL, as principal: Principal) async throws(PostgresFault) -> Rows {
        var binds = Binds(values: 3, bytes: principal.claims.count + 64)
        binds.append(text: searchPath.utf8)
        binds.append(text: principal.role.utf8)
        binds.append(text: principal.claims)
        let trip = RoundTrip(
            steps: [
                .init(Statement(text: Self.opening, binds: binds), keepsRows: false),
                .init(Statement(query)),
            ], role: principal.role, isReadOnly: true)
        return try await database.execute(trip).only()
    }

    private static let opening = StatementText(
        """
        select set_config('search_path', $1, true),
            set_config('role', $2, true),
            set_config('request.jwt.claims', $3, true),
            set_config('transaction_read_only', 'on', true)
        """)

    /// The rows stand under the table's name, which is how policies call it.
    private static func statement(_ conditions: [SQL], _ rows: [Row], _ table: TableAccess) -> SQL {
        let columns = table.columns.enumerated().map { index, column -> SQL in
            "u.\(Self.column(index))::\(SQL(trusted: column.typeName)) as \(ident: column.name)"
        }.joined(separator: ", ")
        let tests = conditions.map { "(\($0))" as SQL }.joined(separator: ", ")
        return """
            select \(ident: table.name).\(ident: ordinal), \(tests)
            from (select u.ord as \(ident: ordinal), \(columns) from \(source(table.columns, rows: rows)))
                \(ident: table.name)
            """
    }

    /// No column of a user's is called so.
    private static let ordinal = "apus row number"

    private static func column(_ index: Int) -> SQL { SQL(trusted: "c\(index)") }

    private static func source(_ columns: [TableAccess.Column], rows: [Row]) -> SQL {
        let arrays = columns.indices.map { index -> SQL in
            "\(bind: arrayText(rows.map { $0.indices.contains(index) ? $0[index] : nil }))::text[]"
        }.joined(separator: ", ")
        let names = columns.indices.map(column).joined(separator: ", ")
        return "unnest(\(arrays)) with ordinality u (\(names), ord)"
    }

    private static func arrayText(_ values: [ArraySlice<UInt8>?]) -> String {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (index, value) in values.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            guard let value else {
                text += Array("NULL".utf8)
                continue
            }
            text.append(UInt8(ascii: "\""))
            for byte in value {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                    text.append(UInt8(ascii: "\\"))
                }
                text.append(byte)
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return String(decoding: text, as: UTF8.self)
    }
}

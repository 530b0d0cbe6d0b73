import ApusCatalog
import ApusFaults
import ApusPlanner
import ApusPostgres
import ApusSQL

/// Makes an answer of the rows that a compiled request's statements returned.
struct AnswerShaper {
    let compiled: CompiledRequest

    /// - Parameters:
    ///   - main: result of the main statement.
    ///   - settings: result of ``RenderedPlan/responseSettings``, when it ran.
    ///   - explained: result of ``RenderedPlan/explainCount``, when it ran.
    /// - Throws: when the number of rows is not what the client insists on. Writes have their check in SQL, so
    ///   that it undoes them; here only reads can fail.
    func answer(main: Rows, settings: Rows?, explained: Rows?) throws(Fault) -> Answer {
        let layout = compiled.rendered.layout
        var answer = Answer(plan: compiled.plan)
        if layout.isExecutionPlan {
            answer.isExecutionPlan = true
            answer.body = .bytes(executionPlan(main))
            return answer
        }
        answer.pageCount = pageCount(main, layout)
        answer.totalCount = totalCount(main, layout, page: answer.pageCount, explained)
        if main.count == 1 {
            read(main, layout, into: &answer)
        } else if layout.body != nil {
            answer.body = .none
        }
        if let settings, settings.count == 1 {
            answer.responseHeaders = bytes(settings, 0)
            answer.responseStatus = nonEmpty(settings.string(0, 1))
        }
        try checkSingular(answer)
        return answer
    }

    /// The same of a body that was put together here, of so many rows.
    func answer(rows: Int, body: [UInt8]) throws(Fault) -> Answer {
        var answer = Answer(plan: compiled.plan)
        answer.pageCount = rows
        if compiled.rendered.layout.total == .samePage { answer.totalCount = rows }
        answer.body = .bytes(body)
        try checkSingular(answer)
        return answer
    }

    // MARK: - Non public

    private func read(_ rows: Rows, _ layout: ResultLayout, into answer: inout Answer) {
        if let body = layout.body, !rows.isNull(0, body) {
            answer.body = self.body(rows, body)
        }
        if let header = layout.header, let text = rows.string(0, header) {
            answer.location = ArrayLiteral.elements(of: text.utf8).compactMap { element in
                guard let equals = element.firstIndex(of: "=") else { return nil }
                return (String(element[..<equals]), String(element[element.index(after: equals)...]))
            }
        }
        if let column = layout.responseHeaders { answer.responseHeaders = bytes(rows, column) }
        if let column = layout.responseStatus { answer.responseStatus = nonEmpty(rows.string(0, column)) }
        if let column = layout.inserted { answer.insertedCount = rows.int(0, column) }
    }

    /// `bytea` comes as hexadecimal text and leaves as the bytes it means (PostgreSQL, "bytea Hex Format").
    private func body(_ rows: Rows, _ column: Int) -> Answer.Body {
        guard rows.columnType(column) == TypeOID.bytea else { return .cell(rows, row: 0, column: column) }
        return rows.withBytes(0, column) { text in
            guard let text, text.starts(with: "\\x".utf8) else { return .cell(rows, row: 0, column: column) }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.count / 2)
            var position = 2
            while position + 1 < text.count {
                bytes.append(Self.nibble(text[position]) << 4 | Self.nibble(text[position + 1]))
                position += 2
            }
            return .bytes(bytes)
        }
    }

    /// Value of a hexadecimal digit as PostgreSQL writes it, in lower case.
    private static func nibble(_ digit: UInt8) -> UInt8 {
        digit <= UInt8(ascii: "9") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }

    private func pageCount(_ rows: Rows, _ layout: ResultLayout) -> Int {
        switch layout.pageTotal {
        case .column(let column): rows.int(0, column) ?? 0
        case .constant(let count): count
        case .commandTag: rows.affectedRows ?? 0
        case .none: 0
        }
    }

    private func totalCount(_ rows: Rows, _ layout: ResultLayout, page: Int, _ explained: Rows?) -> Int? {
        let counted: Int?
        switch layout.total {
        case .column(let column): counted = rows.int(0, column)
        case .samePage: counted = page
        case nil: counted = nil
        }
        switch compiled.plan.count {
        case .planned: return explained.flatMap(estimate) ?? counted
        case .estimated:
            // The counting query stops one row after the limit; only behind it is the planner's guess needed.
            guard let most = compiled.plan.maxRows, let counted, counted > most else { return counted }
            return max(counted, explained.flatMap(estimate) ?? 0)
        case .exact, nil: return counted
        }
    }

    /// The top node's `"Plan Rows"`: in PostgreSQL's output a node's own members stand before its children.
    private func estimate(_ explained: Rows) -> Int? {
        guard let text = explained.string(0, 0), let mark = text.firstRange(of: "\"Plan Rows\":") else {
            return nil
        }
        return Int(text[mark.upperBound...].drop { $0 == " " }.prefix { $0.isNumber })
    }

    private func executionPlan(_ rows: Rows) -> [UInt8] {
        var bytes: [UInt8] = []
        for row in 0..<rows.count {
            rows.withBytes(row, 0) { line in
                if let line { bytes += line }
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    private func checkSingular(_ answer: Answer) throws(Fault) {
        guard case .read = compiled.plan.intent.action, case .singleObject = compiled.plan.handler.mediaType,
            answer.pageCount != 1
        else { return }
        throw RowCountFault.singular(rows: answer.pageCount)
    }

    private func bytes(_ rows: Rows, _ column: Int) -> [UInt8]? {
        rows.withBytes(0, column) { bytes in
            guard let bytes, !bytes.isEmpty else { return nil }
            return Array(bytes)
        }
    }

    private func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
}

/// Faults about the number of rows that a request touched.
enum RowCountFault {
    static func singular(rows: Int) -> Fault {
        Fault(
            code: "PGRST116", kind: .notAcceptable,
            message: "Cannot coerce the result to a single JSON object",
            details: "The result contains \(rows) rows")
    }

    static func maxAffected(rows: Int) -> Fault {
        Fault(
            code: "PGRST124", kind: .invalid,
            message: "Query result exceeds max-affected preference constraint",
            details: "The query affects \(rows) rows")
    }

    static let keyMismatch = Fault(
        code: "PGRST115", kind: .invalid,
        message: "Payload values do not match URL in primary key column(s)")
}

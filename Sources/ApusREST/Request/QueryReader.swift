import ApusPlanner

/// The parameters of a query string, understood.
struct ReadQuery {
    var order: [Intent.Placed<[OrderTerm]>] = []
    var logic: [Intent.Placed<LogicTree>] = []
    var columns: [String]?
    var select: [SelectItem] = [.field(.init(field: Field(name: "*")))]
    var filters: [Intent.Placed<Filter>] = []
    var arguments: [Intent.Argument] = []
    var onConflict: [String]?
    /// By `limit` and `offset` of the top level.
    var topLevel = RowInterval.all
    var embeddedRanges: [Intent.Placed<RowRange>] = []
}

/// Reads the parameters that a shape holds, by the grammar.
struct QueryReader {
    let shape: RequestShape
    let limits: RESTSettings.Limits
    /// Whether filters are possible arguments too.
    let isCall: Bool

    /// Which of several faults is told depends on the order here, and is the dialect's.
    func read() throws(RequestFault) -> ReadQuery {
        if shape.hasTooManyParameters { throw .tooManyParameters(limit: limits.parameters) }
        var query = ReadQuery()
        for parameter in parameters(.order) { query.order.append(try order(parameter)) }
        for parameter in parameters(.logic) { query.logic.append(try logic(parameter)) }
        if let columns = parameters(.columns).first {
            let text = shape.text(columns.structure)
            query.columns = try parse(text, as: "columns parameter") { parser throws(Mismatch) in
                try parser.columns()
            }
        }
        if let select = parameters(.select).first {
            let text = shape.text(select.structure)
            query.select = try parse(text, as: "select parameter") { parser throws(Mismatch) in
                let items = try parser.selectItems()
                // The dialect ignores what follows the last item; but where there is none, `select=*!x` would
                // quietly select nothing.
                if items.isEmpty { try parser.end() }
                return items
            }
        }
        for parameter in shape.parameters where parameter.role == .filter || parameter.role == .argument {
            try readFilter(parameter, into: &query)
        }
        if let onConflict = parameters(.onConflict).first {
            let text = shape.text(onConflict.structure)
            query.onConflict = try parse(text, as: "on_conflict parameter") { parser throws(Mismatch) in
                try parser.columns()
            }
        }
        try readRanges(into: &query)
        return query
    }

    // MARK: - Parameters

    private func order(
        _ parameter: RequestShape.Parameter
    ) throws(RequestFault) -> Intent.Placed<[OrderTerm]> {
        let path = try treePath(shape.text(parameter.name)).path
        let terms = try parse(shape.text(parameter.structure), as: "order") { parser throws(Mismatch) in
            try parser.orderTerms()
        }
        return .init(path: path, terms)
    }

    private func logic(
        _ parameter: RequestShape.Parameter
    ) throws(RequestFault) -> Intent.Placed<LogicTree> {
        let name = shape.text(parameter.name)
        let (path, connective) = try parse(name, as: "logic path") { parser throws(Mismatch) in
            try parser.logicPath()
        }
        let value = shape.text(parameter.structure)
        let tree = try parse(value, as: "logic tree", after: connective) { parser throws(Mismatch) in
            try parser.logicTree()
        }
        return .init(path: path, tree)
    }

    private func readFilter(
        _ parameter: RequestShape.Parameter, into query: inout ReadQuery
    ) throws(RequestFault) {
        let (path, field) = try treePath(shape.text(parameter.name))
        guard let slot = parameter.slot else { return }
        if isCall {
            query.arguments.append(.init(name: field.name, value: .slot(index: slot, dropping: 0)))
        }
        guard parameter.role == .filter else { return }
        let (isNegated, operation) = try operation(parameter, slot: slot)
        query.filters.append(
            .init(path: path, Filter(field: field, isNegated: isNegated, operation: operation)))
    }

    private func operation(
        _ parameter: RequestShape.Parameter, slot: Int
    ) throws(RequestFault) -> (isNegated: Bool, operation: Operation) {
        if !parameter.structure.isEmpty {
            var parser = GrammarParser(shape.key[parameter.structure], limits: limits)
            if let operation = try? parser.operation(operand: .cutOff(slot: slot)) { return operation }
        }
        let value = String(decoding: shape.values[slot], as: UTF8.self)
        return try parse(value, as: "filter") { parser throws(Mismatch) in
            try parser.operation(operand: .rest(slot: slot))
        }
    }

    /// `limit` and `offset` of a level belong together, wherever they stand; the last one of each counts.
    private func readRanges(into query: inout ReadQuery) throws(RequestFault) {
        var levels: [(level: String, limit: String?, offset: String?)] = []
        for parameter in shape.parameters where parameter.role == .limit || parameter.role == .offset {
            let name = shape.text(parameter.name)
            let level = String(name.dropLast(parameter.role == .limit ? 5 : 6))
            let index = levels.firstIndex { $0.level == level } ?? levels.count
            if index == levels.count { levels.append((level, nil, nil)) }
            let value = shape.text(parameter.structure)
            if parameter.role == .limit { levels[index].limit = value } else { levels[index].offset = value }
        }
        for (level, limit, offset) in levels {
            let interval = RowInterval(limit: limit, offset: offset)
            if level.isEmpty {
                query.topLevel = interval
            } else {
                let path = try treePath(level + "limit").path
                query.embeddedRanges.append(.init(path: path, interval.rowRange))
            }
        }
    }

    // MARK: - Non public

    private typealias Mismatch = GrammarParser.Mismatch

    private func parameters(_ role: ParameterRole) -> [RequestShape.Parameter] {
        shape.parameters.filter { $0.role == role }
    }

    private func treePath(_ name: String) throws(RequestFault) -> (path: [String], field: Field) {
        try parse(name, as: "tree path") { parser throws(Mismatch) in try parser.treePath() }
    }

    /// Runs a rule over `text`, and words its failure.
    ///
    /// - Parameters:
    ///   - name: what the fault calls the text.
    ///   - prefix: text that the rule sees before `text`.
    private func parse<Result>(
        _ text: String, as name: String, after prefix: String = "",
        _ rule: (inout GrammarParser) throws(GrammarParser.Mismatch) -> Result
    ) throws(RequestFault) -> Result {
        var parser = GrammarParser((prefix + text).utf8, limits: limits)
        let result = try? rule(&parser)
        if let exceeded = parser.exceeded { throw exceeded }
        if let result { return result }
        let (line, column) = parser.place(of: parser.failure)
        throw .syntax(
            message: "\"failed to parse \(name) (\(text))\" (line \(line), column \(column))",
            details: parser.failure.details)
    }
}

extension GrammarParser {
    /// Line and column, from 1; a tab goes to the next multiple of eight.
    fileprivate func place(of failure: ParseFailure) -> (line: Int, column: Int) {
        var (line, column) = (1, 1)
        for scalar in String(decoding: input.prefix(failure.position), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\n": (line, column) = (line + 1, 1)
            case "\t": column += 8 - (column - 1) % 8
            default: column += 1
            }
        }
        return (line, column)
    }
}

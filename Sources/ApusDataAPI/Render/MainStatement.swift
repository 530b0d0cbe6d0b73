import ApusCatalog
import ApusPlanner
import ApusSQL

/// The statement that carries out a plan, with what its result looks like.
struct MainStatement {
    var builder: StatementBuilder
    var sql: SQL
    var layout: ResultLayout
    /// Whether the settings of the response must be asked for by a statement of their own.
    var tellsSettingsApart = false

    // MARK: - Read

    static func read(_ read: ReadPlan, _ plan: Plan, _ settings: RenderSettings) -> Self {
        var builder = StatementBuilder(settings: settings, for: read)
        let rows = builder.query(read)
        var columns = ResultColumns(pageTotal: "count(*)")
        columns.total = builder.total(of: read, in: plan, from: .relation)
        columns.body = builder.body(plan.handler.kind)
        columns.tellsSettings = settings.readsSettingsAfterReads
        return assembled(columns, with: [], rows: rows, plan.handler.kind, builder)
    }

    /// The rows of a read and nothing else.
    static func rows(_ read: ReadPlan, _ settings: RenderSettings) -> Self {
        var builder = StatementBuilder(settings: settings, for: read)
        let sql = builder.query(read)
        return MainStatement(builder: builder, sql: sql, layout: ResultLayout(pageTotal: .none))
    }

    /// The rows of a read for several requests at once, each row with the number of its request behind; nil where the
    /// values of the requests have no types that are known here.
    ///
    /// A lateral subquery with a limit or an offset is not pulled up, so it is run for each request's values in turn, and
    /// its rows keep their order.
    static func gatheredRows(_ read: ReadPlan, _ settings: RenderSettings) -> Self? {
        var builder = StatementBuilder(settings: settings, for: read)
        let alone = builder.query(read)
        builder = StatementBuilder(settings: settings, for: read)
        builder.gathered = GatheredValues()
        let rows = builder.query(read) + (read.range.limit == nil ? " OFFSET 0" : "")
        guard let values = builder.gathered?.relation, !alone.text.contains(GatheredValues.name.text) else {
            return nil
        }
        let sql: SQL =
            """
            SELECT \(Names.rows).*, \(GatheredValues.name).\(GatheredValues.number) FROM \(values) \
            CROSS JOIN LATERAL (\(rows)) AS \(Names.rows)
            """
        return MainStatement(builder: builder, sql: sql, layout: ResultLayout(pageTotal: .none))
    }

    // MARK: - Write

    static func write(
        _ write: WritePlan, then read: ReadPlan, _ plan: Plan, _ settings: RenderSettings
    ) -> Self {
        var builder = StatementBuilder(settings: settings, for: read)
        let location = primaryKeyToTell(write, plan)
        let tellsInserted = tellsInserted(write, plan)
        let guards = RowGuard.all(for: plan)
        let isBare = write.returning.isEmpty && guards.isEmpty && location == nil && !tellsInserted
        if isBare, plan.handler.kind == .none {
            // Nothing but a number is wanted, and the command tag has it: the barest statement is the fastest.
            let change = builder.change(write, returning: "")
            return MainStatement(
                builder: builder, sql: change, layout: ResultLayout(pageTotal: .commandTag),
                tellsSettingsApart: settings.readsSettingsAfterWrites)
        }
        let change = builder.change(write, returning: builder.returning(write))
        // Without a body nothing is selected, so that columns that were not returned are not missed.
        let rows: SQL =
            plan.handler.kind == .none
            ? "SELECT * FROM \(Names.source)" : builder.query(read, from: .rows(Names.source))
        var columns = ResultColumns(pageTotal: "count(*)")
        columns.header = location.map { builder.location(primaryKey: $0) }
        columns.body = builder.body(plan.handler.kind)
        columns.tellsSettings = settings.readsSettingsAfterWrites
        columns.guards = guards.map { $0.expression(count: "count(*)") }
        if tellsInserted {
            columns.inserted =
                builder.countsMerged(write) ? "count(*) - \(StatementBuilder.mergedCount)" : "count(*)"
        }
        return assembled(columns, with: [(Names.source, change)], rows: rows, plan.handler.kind, builder)
    }

    /// The key whose values `Location` shows, when it is wanted.
    private static func primaryKeyToTell(_ write: WritePlan, _ plan: Plan) -> [String]? {
        guard case .insert(_, _, let primaryKey) = write.change, plan.intent.action == .insert,
            plan.intent.preferences.representation == .headersOnly
        else { return nil }
        return primaryKey
    }

    /// Whether the status depends on how many rows are new: after a merge or a `PUT`.
    private static func tellsInserted(_ write: WritePlan, _ plan: Plan) -> Bool {
        guard case .insert = write.change else { return false }
        return plan.intent.action == .upsertOne
            || plan.intent.preferences.resolution == .mergeDuplicates
    }

    // MARK: - Call

    static func call(
        _ call: CallPlan, then read: ReadPlan, _ plan: Plan, _ settings: RenderSettings
    ) -> Self {
        var builder = StatementBuilder(settings: settings, for: read)
        let result = builder.call(call)
        // Rows that are counted apart are read twice, and the function shall run once.
        let isCountedApart = plan.countsRows && plan.showsAPage
        let source: ReadSource = .rows(isCountedApart ? Names.source : "(\(result))")
        let rows = builder.query(read, from: source)
        let body = builder.body(plan.handler.kind, of: call.function)
        var columns = ResultColumns(pageTotal: pageTotal(of: call.function, isLookedAt: body != nil))
        columns.total = builder.total(of: read, in: plan, from: source)
        columns.body = body
        columns.tellsSettings = settings.readsSettingsAfterCalls
        if let count = columns.pageTotal {
            columns.guards = RowGuard.all(for: plan).map { $0.expression(count: count) }
        }
        return assembled(
            columns, with: isCountedApart ? [(Names.source, result)] : [], rows: rows, plan.handler.kind,
            builder)
    }

    /// How rows of a call are counted. A scalar's rows are counted as rows, not as `*`: PostgreSQL would not
    /// call a stable function whose value nobody looks at, and its errors would be lost.
    private static func pageTotal(of function: Function, isLookedAt: Bool) -> SQL? {
        if function.returnsSingle, isLookedAt { return nil }
        return function.result.isComposite ? "count(*)" : "count(\(Names.rows))"
    }

    // MARK: - Common

    /// `WITH … SELECT columns FROM (rows)`.
    private static func assembled(
        _ columns: ResultColumns, with named: [(name: SQL, query: SQL)], rows: SQL,
        _ kind: ResolvedHandler.Kind, _ builder: StatementBuilder
    ) -> Self {
        var named = named
        var from: SQL = "(\(rows))"
        if kind == .csv {
            named.append((StatementBuilder.csvRows, rows))
            from = "(SELECT * FROM \(StatementBuilder.csvRows))"
        }
        let with: SQL =
            named.isEmpty
            ? "" : "WITH \(named.map { "\($0.name) AS (\($0.query))" as SQL }.joined(separator: ", ")) "
        let (list, layout) = columns.listed()
        return MainStatement(
            builder: builder, sql: "\(with)SELECT \(list) FROM \(from) AS \(Names.rows)", layout: layout)
    }

    /// The statement that shows how this one would be, or was, executed.
    func explained(_ format: MediaType.PlanFormat, _ options: [MediaType.PlanOption]) -> Self {
        var words: [SQL] = [format == .json ? "FORMAT JSON" : "FORMAT TEXT"]
        for option in options {
            switch option {
            case .analyze: words.append("ANALYZE")
            case .verbose: words.append("VERBOSE")
            case .settings: words.append("SETTINGS")
            case .buffers: words.append("BUFFERS")
            case .wal: words.append("WAL")
            }
        }
        var explained = self
        explained.sql = "EXPLAIN (\(words.joined(separator: ", "))) \(sql)"
        explained.layout = ResultLayout(pageTotal: .none, isExecutionPlan: true)
        explained.tellsSettingsApart = false
        return explained
    }
}

extension StatementBuilder {
    /// For a plan that reads `read`: where anything groups, embedded values must be comparable.
    fileprivate init(settings: RenderSettings, for read: ReadPlan) {
        self.init(settings: settings)
        if read.containsAggregation { embedFormat = .jsonb }
    }

    fileprivate mutating func total(
        of read: ReadPlan, in plan: Plan, from source: ReadSource
    ) -> ResultColumns.Total? {
        guard plan.countsRows else { return nil }
        guard plan.showsAPage else { return .samePage }
        // An estimate needs to know only whether there are more rows than may be shown.
        var limit: Int?
        if plan.count == .estimated, case .read = plan.work { limit = plan.maxRows.map { $0 + 1 } }
        return .value(total(read, limit: limit, from: source))
    }
}

extension Plan {
    /// Whether rows are counted (and not only estimated).
    fileprivate var countsRows: Bool { count == .exact || count == .estimated }

    /// Whether there may be more rows than are shown.
    fileprivate var showsAPage: Bool { maxRows != nil || range != .all }
}

package import ApusFaults
package import ApusPostgres
import ApusSQL

/// What of a table one read may show: its own condition and its caller's policies, as a predicate for the process.
package struct LiveView: Sendable {
    let table: TableAccess
    /// True: the row is in view. Unknown where PostgreSQL would have to be asked.
    let predicate: Predicate
    let parameters: [ParameterValue]
    /// Tables whose changes may change the parameters.
    package let sources: Set<UInt32>

    /// - Parameter sources: without the table itself.
    init(
        table: TableAccess, predicate: Predicate, parameters: [ParameterValue] = [], sources: Set<UInt32> = []
    ) {
        self.table = table
        self.predicate = predicate
        self.parameters = parameters
        self.sources = sources
    }
}

/// Makes views.
package struct LiveViews: Sendable {
    private let book: AccessBook
    private let check: RowCheck

    /// - Parameter searchPath: schemas in which functions of policies find what they name without schema.
    package init(database: Database, searchPath: [String]) {
        book = AccessBook(database: database)
        check = RowCheck(
            database: database, searchPath: searchPath.map { SQL.ident($0).text }.joined(separator: ", "))
    }

    /// Forgets what it knows of tables and roles: the schema may have changed.
    package func reset() async { await book.reset() }

    /// What of a table a caller's read may show; nil when the process cannot say.
    ///
    /// - Parameter relation: the table's object id.
    /// - Throws: when the database is away, or too busy to say.
    package func view(
        of relation: UInt32, where condition: RowCondition, for principal: Principal
    ) async throws(Fault) -> LiveView? {
        let (table, access): (TableAccess, RoleAccess)
        do {
            table = try await book.table(oid: relation)
            access = try await book.access(of: principal.role, to: table)
        } catch {
            return try Self.unlessTransient(error)
        }
        guard access.canRead, let own = condition.predicate(table) else { return nil }
        if !table.hasRowSecurity || access.bypassesPolicies { return LiveView(table: table, predicate: own) }
        if access.condition(table) == nil { return LiveView(table: table, predicate: .constant(.false)) }
        guard let compiled = PolicyCompiler.compile(table, access), !compiled.sources.contains(relation),
            let parameters = try await parameters(compiled, principal)
        else { return nil }
        return LiveView(
            table: table, predicate: .and([compiled.predicate, own]), parameters: parameters,
            sources: compiled.sources)
    }

    /// nil when PostgreSQL raises, or gives another type than was expected.
    private func parameters(
        _ compiled: CompiledPolicies, _ principal: Principal
    ) async throws(Fault) -> [ParameterValue]? {
        if compiled.parameters.isEmpty { return [] }
        do {
            let rows = try await check.values(of: compiled.expressions, as: principal)
            return ParameterValue.read(rows, as: compiled.parameters)
        } catch {
            return try Self.unlessTransient(error.fault(isAnonymous: false))
        }
    }

    /// nil for what will fail another time as well.
    private static func unlessTransient<Found>(_ fault: Fault) throws(Fault) -> Found? {
        if fault.isTransient { throw fault }
        return nil
    }
}

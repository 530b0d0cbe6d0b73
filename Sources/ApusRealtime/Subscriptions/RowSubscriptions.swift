package import ApusFaults
package import ApusPostgres
import ApusSQL

/// Who wants to hear of which rows, and may.
///
/// Feed transactions go in, in order; deliveries come out, in order: each change with the subscribers whose policies,
/// privileges and filters let them see the row, before or after it. What can be decided in the process is; the rest
/// is asked of PostgreSQL, for all rows of a batch in one statement for each role, claims and filter.
package actor RowSubscriptions {
    let book: AccessBook
    let check: RowCheck
    private var subscriptions: [UInt64: RowSubscription] = [:]
    private var lastID: UInt64 = 0
    /// By the table's object id.
    private var tables: [UInt32: TableSubscriptions] = [:]
    /// Tables that a subscription stands at.
    private var places: [UInt64: Set<UInt32>] = [:]
    private var ofSchemas: [String: Set<UInt64>] = [:]
    private var audiences: [Audience.Key: Audience] = [:]
    private var bookVersion: UInt64
    /// Tables that nobody has asked for, nor for others of their names.
    private var strangers: Set<UInt32> = []

    /// - Parameter searchPath: schemas in which functions of policies find what they name without schema.
    package init(database: Database, book: AccessBook, searchPath: [String]) {
        self.book = book
        bookVersion = book.version
        check = RowCheck(
            database: database, searchPath: searchPath.map { SQL.ident($0).text }.joined(separator: ", "))
    }

    /// How many times a subscription was compared with a change.
    var comparisons: Int { tables.values.reduce(0) { $0 + $1.comparisons } }

    /// How many kinds of callers are told apart.
    var audienceCount: Int { audiences.count }

    // MARK: - Subscribing

    /// From its return on, every transaction that is given to ``deliveries(of:)`` is looked at for the subscriber.
    ///
    /// - Returns: what names the subscription in deliveries.
    /// - Throws: when the table or a column does not exist, or the role may not read it.
    package func add(_ subscription: RowSubscription) async throws(Fault) -> UInt64 {
        lastID += 1
        let id = lastID
        subscriptions[id] = subscription
        guard let name = subscription.table else {
            ofSchemas[subscription.schema, default: []].insert(id)
            for oid in tables.keys where tables[oid]?.table.schema == subscription.schema {
                await attachQuietly(id, oid)
            }
            return id
        }
        do throws(Fault) {
            try await attach(id, to: subscription.schema, name)
        } catch {
            remove(id)
            throw error
        }
        return id
    }

    private func attach(_ id: UInt64, to schema: String, _ name: String) async throws(Fault) {
        let table = try await book.table(schema: schema, name: name)
        do throws(Fault) {
            try await attach(id, to: table)
        } catch {
            guard await book.resetIfReplaced(table) else { throw error }
            try await attach(id, to: try await book.table(schema: schema, name: name))
        }
    }

    /// The subscriber hears nothing more, from the next batch on.
    package func remove(_ id: UInt64) {
        if let subscription = subscriptions.removeValue(forKey: id), subscription.table == nil {
            ofSchemas[subscription.schema]?.remove(id)
            if ofSchemas[subscription.schema]?.isEmpty == true { ofSchemas[subscription.schema] = nil }
        }
        for oid in places.removeValue(forKey: id) ?? [] {
            tables[oid]?.remove(id)
            if tables[oid]?.isEmpty == true, ofSchemas.isEmpty { tables[oid] = nil }
        }
        dropUnusedAudiences()
    }

    /// Gives a subscription another token's principal.
    ///
    /// - Throws: when the new role may not read the table; then the subscription has ended.
    package func update(_ id: UInt64, principal: Principal) async throws(Fault) {
        guard var subscription = subscriptions[id] else { return }
        subscription.principal = principal
        subscriptions[id] = subscription
        do throws(Fault) {
            for oid in places[id] ?? [] {
                guard let table = tables[oid]?.table else { continue }
                tables[oid]?.remove(id)
                try await attach(id, to: table)
            }
        } catch {
            remove(id)
            throw error
        }
    }

    package var count: Int { subscriptions.count }

    // MARK: - Delivering

    /// The deliveries of transactions, in their order. To be called by one task, with each transaction once.
    package func deliveries(of transactions: [FeedTransaction]) async -> [RowDelivery] {
        var deliveries: [RowDelivery] = []
        var questions = PendingChecks()
        for transaction in transactions {
            await prepare(for: transaction)
            for index in transaction.changes.indices {
                guard let table = tables[transaction.changes[index].relation.oid] else { continue }
                let delivery = table.delivery(
                    of: transaction, at: index, number: deliveries.count, asking: &questions)
                if let delivery { deliveries.append(delivery) }
            }
        }
        await questions.answer(with: check, into: &deliveries)
        return deliveries.filter { !$0.recipients.isEmpty }
    }

    // MARK: - Non public

    /// Before a transaction is looked at: what it changes of the schema's or the policies' own tables is taken in.
    private func prepare(for transaction: FeedTransaction) async {
        if book.version != bookVersion { await rebuild() }
        var changed: Set<UInt32> = []
        for change in transaction.changes {
            let relation = change.relation
            changed.insert(relation.oid)
            if tables[relation.oid] == nil, !strangers.contains(relation.oid) { await look(at: relation) }
            guard tables[relation.oid] == nil, let ids = ofSchemas[relation.schema] else { continue }
            for id in ids { await attachQuietly(id, relation.oid) }
        }
        let stale = audiences.values.filter { !$0.sources.isDisjoint(with: changed) }
        for audience in stale {
            await bind(audience)
            tables[audience.table.oid]?.place(audience)
        }
    }

    /// A table that nobody stands at. If it has the name of one that somebody stands at, it has taken its place, and the
    /// feed knows it before the catalog does.
    private func look(at relation: FeedRelation) async {
        let namesake = tables.values.first { table in
            table.table.schema == relation.schema && table.table.name == relation.name
        }
        guard let namesake, await book.resetIfReplaced(namesake.table) else {
            strangers.insert(relation.oid)
            return
        }
        await rebuild()
    }

    /// A subscription to a schema does not fail for a table that its role may not read.
    private func attachQuietly(_ id: UInt64, _ oid: UInt32) async {
        guard let table = try? await book.table(oid: oid) else { return }
        if tables[oid] == nil { tables[oid] = TableSubscriptions(table) }
        try? await attach(id, to: table)
    }

    private func attach(_ id: UInt64, to table: TableAccess) async throws(Fault) {
        guard let subscription = subscriptions[id] else { return }
        let principal = subscription.principal
        let access = try await book.access(of: principal.role, to: table)
        guard access.canRead else {
            throw SubscriptionFault.mayNotRead(schema: table.schema, name: table.name)
        }
        for column in try subscription.filter.columns(table)
        where !(access.columns.indices.contains(column) && access.columns[column]) {
            throw SubscriptionFault.mayNotRead(schema: table.schema, name: table.name)
        }
        let predicate = try subscription.filter.predicate(table)
        let filter = TableSubscriptions.Filter(
            predicate: predicate, sql: predicate == nil ? try subscription.filter.sql(table) : nil,
            columns: try subscription.filter.columns(table))
        if let sql = filter.sql { try await probe(sql, table, principal) }
        let audience = await audience(of: principal, access, table)
        // Others may have come and gone while we waited.
        guard subscriptions[id] != nil else { return }
        if tables[table.oid] == nil {
            tables[table.oid] = TableSubscriptions(table)
            strangers = []
        }
        tables[table.oid]?.insert(id, subscription, audience, filter)
        places[id, default: []].insert(table.oid)
    }

    /// Lets PostgreSQL read a filter once, on no row, so that a subscriber hears at once what is wrong with it.
    private func probe(_ filter: SQL, _ table: TableAccess, _ principal: Principal) async throws(Fault) {
        do {
            let empty: RowCheck.Row = table.columns.map { _ in nil }
            _ = try await check.outcomes(of: [filter], for: [empty], in: table, as: principal)
        } catch {
            throw error.fault(isAnonymous: false)
        }
    }

    private func audience(
        of principal: Principal, _ access: RoleAccess, _ table: TableAccess
    ) async -> Audience {
        let key = Audience.Key(
            table: table.oid, role: principal.role, claims: access.claims(table).part(of: principal.claims))
        if let known = audiences[key], known.table === table { return known }
        let made = Audience(table: table, access: access, principal: principal, binding: .nobody)
        await bind(made)
        if let known = audiences[key], known.table === table { return known }
        audiences[key] = made
        return made
    }

    /// Decides anew how rows are judged for an audience.
    private func bind(_ audience: Audience) async {
        audience.sources = []
        if !audience.table.hasRowSecurity || audience.access.bypassesPolicies {
            audience.binding = .everybody
            return
        }
        guard let condition = audience.access.condition(audience.table) else {
            audience.binding = .nobody
            return
        }
        if let compiled = PolicyCompiler.compile(audience.table, audience.access),
            let values = await parameters(compiled, audience.principal)
        {
            audience.binding = .predicate(compiled.predicate, values)
            audience.sources = compiled.sources
        } else {
            audience.binding = .check(condition)
        }
    }

    /// nil when PostgreSQL raises, or gives another type than was expected: then it decides about rows as well.
    private func parameters(_ compiled: CompiledPolicies, _ principal: Principal) async -> [ParameterValue]? {
        if compiled.parameters.isEmpty { return [] }
        guard
            let rows = try? await check.values(of: compiled.expressions, as: principal)
        else { return nil }
        return ParameterValue.read(rows, as: compiled.parameters)
    }

    /// The schema has changed: everything that was derived from it is derived again.
    private func rebuild() async {
        bookVersion = book.version
        strangers = []
        audiences = [:]
        tables = [:]
        let before = places
        places = [:]
        for (id, subscription) in subscriptions {
            if let name = subscription.table {
                guard let table = try? await book.table(schema: subscription.schema, name: name) else {
                    continue
                }
                try? await attach(id, to: table)
            } else {
                for oid in before[id] ?? [] { await attachQuietly(id, oid) }
            }
        }
    }

    private func dropUnusedAudiences() {
        guard audiences.count > 64, audiences.count > 2 * subscriptions.count else { return }
        var used: Set<ObjectIdentifier> = []
        for table in tables.values { used.formUnion(table.audiences) }
        audiences = audiences.filter { used.contains(ObjectIdentifier($0.value)) }
    }
}

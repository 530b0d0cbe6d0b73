package import ApusCatalog
package import ApusFaults
package import ApusPlanner
package import ApusPostgres
import ApusSQL

/// Requests for data, whatever protocol they came by.
///
/// Intent → plan → statement happen once for a shape of request (``prepare(_:key:)``); values → rows →
/// answer for every request (``answer(_:_:reply:)``). Every stage but the round trip is pure.
package final class DataAPI: Sendable {
    let database: Database
    private let catalog: @Sendable () -> CatalogSnapshot?
    let settings: DataAPISettings
    let compiler: Compiler
    let costGuard: CostGuard
    private let cache: CompiledCache
    private let openings = TransactionOpenings()
    private let preRequest: StatementText?
    let gathered = GatherCounts()

    /// - Parameter catalog: the catalog of now; nil until it was read once.
    package init(
        database: Database, catalog: @escaping @Sendable () -> CatalogSnapshot?, settings: DataAPISettings
    ) {
        self.database = database
        self.catalog = catalog
        self.settings = settings
        compiler = Compiler(settings: settings, openings: openings)
        costGuard = CostGuard(limits: settings.costLimits)
        cache = CompiledCache(limit: settings.cacheLimit)
        preRequest = settings.preRequest.map { function in
            StatementText(("select \(ident: function.schema, function.name)()" as SQL).text)
        }
    }

    /// What was made for a request of this shape, if it is still at hand.
    ///
    /// - Parameter key: equal for requests of equal shape.
    /// - Throws: PGRST002 until the catalog was read once.
    package func known(_ key: [UInt8]) throws(Fault) -> CompiledRequest? {
        cache.find(key, catalogVersion: try currentSnapshot().version)
    }

    /// Plans and renders.
    ///
    /// - Parameter key: under which to keep it; nil when this shape is not to be kept.
    /// - Throws: what is wrong with the request, in the dialect's codes.
    package func prepare(_ intent: Intent, key: [UInt8]?) throws(Fault) -> CompiledRequest {
        let snapshot = try currentSnapshot()
        let made = try compiler.compile(intent, in: snapshot)
        if let key { cache.insert(made, for: key, catalogVersion: snapshot.version) }
        return made
    }

    /// A way to the database and back for the requests of one event loop.
    ///
    /// - Parameters:
    ///   - loop: whose it is.
    ///   - execute: has the event loop run something, after what it is doing now.
    package func lane(
        of loop: ObjectIdentifier, execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) -> DataLane {
        DataLane(database.lane(of: loop, execute: execute), execute: execute) { [self] group, lane in
            send(group, on: lane)
        }
    }

    /// Runs a request in one round trip. `reply` is called once, on the lane's event loop, on which this has to be
    /// called too.
    ///
    /// - Returns: what stops the work when nobody waits for it any more.
    /// - Throws: when a value cannot be bound; then `reply` is not called.
    package func answer(
        _ compiled: CompiledRequest, _ request: DataRequest,
        on lane: DataLane, reply: @escaping @Sendable (Result<Answer, Fault>) -> Void
    ) throws(Fault) -> PendingAnswer {
        if let form = compiled.rendered.rowForm, form.isPlain,
            let group = gather(compiled, request, own: form.plain, on: lane, reply: reply)
        {
            return PendingAnswer(work: .together(group))
        }
        return PendingAnswer(work: .alone(try answerAlone(compiled, request, on: lane, reply: reply)))
    }

    /// The same, by a statement of the request's own.
    func answerAlone(
        _ compiled: CompiledRequest, _ request: DataRequest,
        on lane: DataLane, reply: @escaping @Sendable (Result<Answer, Fault>) -> Void
    ) throws(Fault) -> Submission {
        let isAnonymous = request.isAnonymous
        if let form = compiled.rendered.rowForm, let rows = form.statement {
            let trip = try roundTrip(compiled, request, as: rows)
            return lane.lane.submit(trip) { [self] result in
                if let answer = Self.shape(result, by: form, rows, compiled, isAnonymous: isAnonymous) {
                    return reply(answer)
                }
                // It is a read: it can be run again, now that the form has learned.
                do throws(Fault) {
                    _ = try self.answerAlone(compiled, request, on: lane, reply: reply)
                } catch {
                    reply(.failure(error))
                }
            }
        }
        return lane.lane.submit(try roundTrip(compiled, request)) { result in
            reply(Self.shape(result, compiled, isAnonymous: isAnonymous))
        }
    }

    /// Runs statements of ours as the caller, read-only, in one round trip.
    func run(_ statements: [Statement], for request: DataRequest) async throws(Fault) -> [Rows] {
        var shape = OpeningShape()
        shape.isReadOnly = true
        let opening = openings.opening(shape, in: try currentSnapshot())
        var steps: [RoundTrip.Step] = []
        if let preRequest { steps.append(.init(Statement(text: preRequest), keepsRows: false)) }
        steps += statements.map { RoundTrip.Step($0) }
        do {
            return try await database.execute(
                RoundTrip(
                    opening: opening.opening(for: request), steps: steps, role: request.principal.role,
                    isReadOnly: true))
        } catch {
            throw DatabaseFault.fault(error, isAnonymous: request.isAnonymous)
        }
    }

    /// The catalog of now.
    ///
    /// - Throws: PGRST002 until it was read once.
    package func currentCatalog() throws(Fault) -> Catalog { try currentSnapshot().catalog }

    private func currentSnapshot() throws(Fault) -> CatalogSnapshot {
        guard let snapshot = catalog() else {
            throw Fault(
                code: "PGRST002", kind: .unavailable,
                message: "Could not query the database for the schema cache. Retrying.")
        }
        return snapshot
    }

    /// Lookups of compiled requests that found one, and that did not.
    package var cacheStatistics: (hits: Int, misses: Int) { cache.statistics }

    /// Statements that answered several reads at once, and these reads.
    package var gatherStatistics: (statements: Int, reads: Int) { gathered.totals }

    // MARK: - Non public

    /// - Parameters:
    ///   - isPart: whether it runs within a transaction of several round trips, whose isolation and end are not this
    ///     request's to choose.
    ///   - main: what is run in place of the compiled request's statement; nil: that.
    func roundTrip(
        _ compiled: CompiledRequest, _ request: DataRequest, isPart: Bool = false,
        as main: StatementTemplate? = nil
    ) throws(Fault) -> RoundTrip {
        let opening = isPart ? compiled.openingOfPart : compiled.opening
        let role = request.principal.role
        return RoundTrip(
            opening: opening.opening(for: request),
            steps: try steps(after: preRequestSteps, compiled, request, isPart: isPart, as: main), role: role,
            isReadOnly: compiled.isReadOnly || compiled.rollsBack,
            sharesTransaction: compiled.sharesTransaction && opening.hasOrdinaryIsolation(for: role))
    }

    /// What runs before a request's own statements, in the same transaction.
    func openingSteps(
        of compiled: CompiledRequest, _ request: DataRequest, isPart: Bool = false
    ) -> [RoundTrip.Step] {
        let opening = isPart ? compiled.openingOfPart : compiled.opening
        return opening.opening(for: request).steps + preRequestSteps
    }

    /// A request's own statements, after others of the same transaction.
    func roundTrip(
        after opening: [RoundTrip.Step], _ compiled: CompiledRequest, _ request: DataRequest, isPart: Bool
    ) throws(Fault) -> RoundTrip {
        RoundTrip(
            steps: try steps(after: opening, compiled, request, isPart: isPart), role: request.principal.role,
            isReadOnly: compiled.isReadOnly || compiled.rollsBack)
    }

    private var preRequestSteps: [RoundTrip.Step] {
        preRequest.map { [.init(Statement(text: $0), keepsRows: false)] } ?? []
    }

    private func steps(
        after opening: [RoundTrip.Step], _ compiled: CompiledRequest, _ request: DataRequest, isPart: Bool,
        as main: StatementTemplate? = nil
    ) throws(Fault) -> [RoundTrip.Step] {
        var steps = opening
        let template = main ?? compiled.rendered.main
        steps.append(.init(try template.statement(values: request.values, body: request.body)))
        if let settings = compiled.rendered.responseSettings {
            steps.append(.init(try settings.statement(values: request.values)))
        }
        if let explain = compiled.rendered.explainCount {
            steps.append(.init(try explain.statement(values: request.values, body: request.body)))
        }
        if compiled.rollsBack, !isPart { steps += Self.undoing }
        return steps
    }

    /// Ends the transaction without effect, after deferred constraints had their say. In an implicit transaction
    /// `ROLLBACK` warns and undoes (PostgreSQL, "Pipeline Mode").
    private static let undoing: [RoundTrip.Step] = [
        .init(Statement(text: StatementText("set constraints all immediate")), keepsRows: false),
        .init(Statement(text: StatementText("rollback")), keepsRows: false),
    ]

    /// nil when the request has to be run again in another form.
    private static func shape(
        _ result: Result<[Rows], PostgresFault>, by form: RowForm, _ statement: StatementTemplate,
        _ compiled: CompiledRequest, isAnonymous: Bool
    ) -> Result<Answer, Fault>? {
        guard case .success(let results) = result, let rows = results.first else {
            return shape(result, compiled, isAnonymous: isAnonymous)
        }
        guard let body = form.body(of: rows, by: statement) else { return nil }
        return Result { () throws(Fault) in
            try AnswerShaper(compiled: compiled).answer(rows: rows.count, body: body)
        }
    }

    static func shape(
        _ result: Result<[Rows], PostgresFault>, _ compiled: CompiledRequest, isAnonymous: Bool
    ) -> Result<Answer, Fault> {
        switch result {
        case .failure(let refusal):
            return .failure(DatabaseFault.fault(refusal, isAnonymous: isAnonymous))
        case .success(let rows):
            var rest = rows[...]
            guard let main = rest.popFirst() else {
                return .failure(
                    Fault(code: "PGRSTX00", kind: .internal, message: "The database gave no result."))
            }
            let settings = compiled.rendered.responseSettings == nil ? nil : rest.popFirst()
            let explained = compiled.rendered.explainCount == nil ? nil : rest.popFirst()
            return Result { () throws(Fault) in
                try AnswerShaper(compiled: compiled).answer(
                    main: main, settings: settings, explained: explained)
            }
        }
    }
}

import ApusCatalog
import ApusFaults
import ApusPlanner
import ApusSQL

/// Intent → plan → statements, once for a shape.
struct Compiler: Sendable {
    private let settings: DataAPISettings
    private let planner: Planner
    private let renderer: Renderer
    /// For databases in which nothing shapes responses.
    private let plainRenderer: Renderer
    private let openings: TransactionOpenings

    init(settings: DataAPISettings, openings: TransactionOpenings) {
        self.settings = settings
        self.openings = openings
        planner = Planner(settings: settings.planner)
        let texts = StatementTexts()
        renderer = Renderer(settings: settings.render, texts: texts)
        var plain = settings.render
        plain.readsSettingsAfterReads = false
        plain.readsSettingsAfterWrites = false
        plain.readsSettingsAfterCalls = false
        // Equal as JSON, without the blanks; a third less work for the database.
        plain.embedFormat = .json
        plainRenderer = Renderer(settings: plain, texts: texts)
    }

    func compile(_ intent: Intent, in snapshot: CatalogSnapshot) throws(Fault) -> CompiledRequest {
        let catalog = snapshot.catalog
        let plan: Plan
        do {
            plan = try planner.plan(intent, in: catalog)
        } catch {
            throw error.fault
        }
        let rendered = renderer(for: catalog).render(plan)
        var shape = openingShape(plan, catalog)
        let opening = openings.opening(shape, in: snapshot)
        shape.isReadOnly = false
        shape.choosesIsolation = false
        return CompiledRequest(
            snapshot: snapshot, plan: plan, rendered: rendered, opening: opening,
            openingOfPart: openings.opening(shape, in: snapshot), rollsBack: rollsBack(intent),
            isReadOnly: isReadOnly(plan), sharesTransaction: sharesTransaction(plan, rendered, catalog))
    }

    /// `EXPLAIN (FORMAT JSON)` of what carries out a plan.
    func explanation(of plan: Plan) -> StatementTemplate { renderer.explanation(of: plan) }

    /// The rows of a read for several requests of its shape at once; nil where that cannot be.
    func gathered(_ plan: Plan, in catalog: Catalog) -> StatementTemplate? {
        renderer(for: catalog).gathered(plan)
    }

    // MARK: - Non public

    private func renderer(for catalog: Catalog) -> Renderer {
        catalog.mayShapeResponses ? renderer : plainRenderer
    }

    /// See ``CompiledRequest/sharesTransaction``. Calls are left out: what they run is not known here.
    private func sharesTransaction(_ plan: Plan, _ rendered: RenderedPlan, _ catalog: Catalog) -> Bool {
        guard !rollsBack(plan.intent), settings.preRequest == nil, !catalog.mayChangeSettings,
            !rendered.layout.isExecutionPlan, rendered.responseSettings == nil, rendered.explainCount == nil
        else { return false }
        switch plan.work {
        case .read: return true
        case .write(let write, _): return settings.sharesInserts && waitsForNobody(write, catalog)
        case .call: return false
        }
    }

    /// Whether a write is an insert that no other of its kind can keep waiting: none of the values that it brings has to be
    /// unique. So two transactions of several never wait for each other; and what they do together they might have done one
    /// after the other.
    private func waitsForNobody(_ write: WritePlan, _ catalog: Catalog) -> Bool {
        guard case .insert(let columns, conflict: nil, _) = write.change, write.filters.isEmpty,
            let table = catalog.relations[write.target], table.isPlainlyInserted
        else { return false }
        let names = Set(columns.map(\.name))
        return table.uniqueKeys.joined().allSatisfy { name in
            !names.contains(name) && table.column(name)?.generation != .computed
        }
    }

    private func openingShape(_ plan: Plan, _ catalog: Catalog) -> OpeningShape {
        var shape = OpeningShape()
        shape.constants.append(.init(name: "search_path", value: searchPath(plan.intent.target.schema)))
        if settings.allowsTimezone, let timezone = plan.intent.preferences.timezone {
            shape.constants.append(.init(name: "timezone", value: timezone))
        }
        if case .call(let call, _) = plan.work {
            shape.constants += call.function.settings
            shape.isolation = call.function.isolationLevel
        }
        shape.constants += settings.appSettings.map {
            .init(name: "app.settings." + $0.name, value: $0.value)
        }
        shape.isReadOnly = isReadOnly(plan)
        let use = settings.sendsAllRequestSettings ? Catalog.RequestSettingsUse() : catalog.requestSettingsUse
        shape.usesMethod = use.method
        shape.usesPath = use.path
        shape.usesHeaders = use.headers
        shape.usesCookies = use.cookies
        return shape
    }

    private func searchPath(_ schema: String) -> String {
        ([schema] + settings.extraSearchPath).map { SQL.ident($0).text }.joined(separator: ", ")
    }

    private func rollsBack(_ intent: Intent) -> Bool {
        switch intent.preferences.transaction {
        case .rollback: true
        case .commit: false
        case nil: settings.transactionEnd.rollsBack
        }
    }

    private func isReadOnly(_ plan: Plan) -> Bool { plan.isReadOnly }
}

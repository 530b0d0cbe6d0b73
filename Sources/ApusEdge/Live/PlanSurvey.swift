import ApusCatalog
import ApusDataAPI
import ApusPlanner
import ApusRealtime

/// Goes through the levels of a read: which relations and functions it names, and whether all of its parts are plain
/// columns.
struct PlanSurvey {
    private let catalog: Catalog
    private(set) var subjects: [ReachBook.Subject] = []
    private var counts: [UInt32: Int] = [:]
    /// False when functions or casts occur whose outcome may depend on more than rows.
    private(set) var isPlain = true

    /// nil for what is no read.
    init?(of compiled: CompiledRequest) {
        catalog = compiled.catalog
        switch compiled.plan.work {
        case .read(let plan): visit(plan)
        case .call(let call, let plan):
            guard call.function.volatility != .volatile else { return nil }
            visit(call, plan)
        case .write: return nil
        }
    }

    /// How often a relation is named.
    func count(of relation: UInt32) -> Int { counts[relation] ?? 0 }

    // MARK: - Non public

    /// A call, and what is read of what it returns.
    private mutating func visit(_ call: CallPlan, _ level: ReadPlan) {
        subjects.append(.function(call.function.oid))
        if call.function.oid == 0 || call.function.parameters.contains(where: { Self.readsCatalog($0.type) })
        {
            isPlain = false
        }
        if catalog.relations[level.source] != nil { return visit(level) }
        // The columns are not in the catalog: a name may be a function of the row.
        isPlain =
            isPlain && level.filters.isEmpty && level.order.isEmpty && level.children.isEmpty
            && level.select.allSatisfy { item in
                (item.field.isWholeRow || item.field.name == "*") && item.cast == nil && item.aggregate == nil
            }
    }

    /// `regclass` and its like are names that are looked up.
    private static func readsCatalog(_ type: String) -> Bool {
        type.hasPrefix("reg") || type.hasPrefix("pg_catalog.reg")
    }

    private mutating func visit(_ level: ReadPlan) {
        add(level.source)
        switch level.relationship?.cardinality {
        case .manyToMany(let junction)?: add(junction.table)
        case .computed?: isPlain = false
        default: break
        }
        let relation = catalog.relations[level.source]
        for item in level.select { check(item, relation) }
        if case .toMany(let extra, _)? = level.spread {
            isPlain =
                isPlain && extra.allSatisfy { $0.column.cast == nil && $0.column.field.transform == nil }
        }
        for condition in level.filters { check(condition, relation) }
        for order in level.order {
            if case .field(let field, _, _) = order { check(field, relation) }
            if case .related(let alias, let field, _, _) = order {
                let child = level.children.first { $0.subqueryAlias == alias }
                if child.flatMap({ catalog.relations[$0.source]?.column(field.name) }) == nil {
                    isPlain = false
                }
            }
        }
        for child in level.children { visit(child) }
    }

    private mutating func add(_ name: QualifiedName) {
        guard let oid = catalog.relations[name]?.oid else {
            isPlain = false
            return
        }
        counts[oid, default: 0] += 1
        if !subjects.contains(.relation(oid)) { subjects.append(.relation(oid)) }
    }

    private mutating func check(_ item: PlannedSelect, _ relation: Relation?) {
        check(item.field, relation)
        for cast in [item.cast, item.aggregateCast].compactMap({ $0?.lowercased() })
        where cast.contains("time") || cast.contains("date") || cast.contains("reg") {
            isPlain = false
        }
    }

    private mutating func check(_ condition: PlannedCondition, _ relation: Relation?) {
        switch condition {
        case .group(_, _, let items): for item in items { check(item, relation) }
        case .filter(let filter): check(filter.field, relation)
        case .embeddedIsNull: break
        }
    }

    private mutating func check(_ field: PlannedField, _ relation: Relation?) {
        if field.isWholeRow || field.name == "*" { return }
        if field.transform != nil || relation?.column(field.name) == nil { isPlain = false }
    }
}

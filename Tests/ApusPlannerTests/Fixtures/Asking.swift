import ApusCatalog
import ApusFaults
import ApusPlanner

typealias Name = QualifiedName

/// An intent for a relation or function of schema `test`.
func intent(
    _ action: Intent.Action, _ target: String, select: [SelectItem] = [.star],
    _ change: (inout Intent) -> Void = { _ in }
) -> Intent {
    var intent = Intent(action: action, target: Name("test", target), select: select)
    change(&intent)
    return intent
}

/// An intent that reads a relation of schema `test`.
func intent(
    _ target: String, select: [SelectItem] = [.star], _ change: (inout Intent) -> Void = { _ in }
) -> Intent {
    intent(.read, target, select: select, change)
}

func plan(
    _ intent: Intent, in builder: CatalogBuilder = .projects,
    _ settings: PlannerSettings = PlannerSettings(schemas: ["test"])
) throws(PlanFault) -> Plan {
    try Planner(settings: settings).plan(intent, in: builder.catalog)
}

/// The read at the end of a plan.
func readPlan(
    _ intent: Intent, in builder: CatalogBuilder = .projects,
    _ settings: PlannerSettings = PlannerSettings(schemas: ["test"])
) throws(PlanFault) -> ReadPlan {
    switch try plan(intent, in: builder, settings).work {
    case .read(let read), .write(_, let read), .call(_, let read): read
    }
}

/// What a client is told when planning fails; nil when it does not.
func fault(
    _ intent: Intent, in builder: CatalogBuilder = .projects,
    _ settings: PlannerSettings = PlannerSettings(schemas: ["test"])
) -> Fault? {
    do throws(PlanFault) {
        _ = try plan(intent, in: builder, settings)
        return nil
    } catch {
        return error.fault
    }
}

func plan(_ intent: Intent, _ settings: PlannerSettings) throws(PlanFault) -> Plan {
    try plan(intent, in: .projects, settings)
}

func readPlan(_ intent: Intent, _ settings: PlannerSettings) throws(PlanFault) -> ReadPlan {
    try readPlan(intent, in: .projects, settings)
}

func fault(_ intent: Intent, _ settings: PlannerSettings) -> Fault? {
    fault(intent, in: .projects, settings)
}

extension PlannerSettings {
    static func with(_ change: (inout PlannerSettings) -> Void) -> PlannerSettings {
        var settings = PlannerSettings(schemas: ["test"])
        change(&settings)
        return settings
    }

    static var withAggregates: PlannerSettings { .with { $0.aggregatesEnabled = true } }
}

extension SelectItem {
    static let star = SelectItem.column("*")

    static func column(_ name: String, alias: String? = nil) -> SelectItem {
        .field(SelectedField(field: Field(name: name), alias: alias))
    }

    static func aggregate(_ function: AggregateFunction, _ name: String, alias: String? = nil) -> SelectItem {
        .field(SelectedField(field: Field(name: name), aggregate: function, alias: alias))
    }

    static func path(_ name: String, _ steps: JSONStep.Operand...) -> SelectItem {
        .field(
            SelectedField(field: Field(name: name, path: steps.map { JSONStep($0, asText: false) })))
    }

    static func embed(
        _ name: String, as alias: String? = nil, hint: String? = nil, _ select: SelectItem...
    )
        -> SelectItem
    {
        .relation(EmbeddedRelation(name: name, alias: alias, hint: hint, select: select))
    }

    static func spread(_ name: String, hint: String? = nil, _ select: SelectItem...) -> SelectItem {
        .relation(EmbeddedRelation(name: name, hint: hint, isSpread: true, select: select))
    }
}

extension Intent.Placed<Filter> {
    /// `name=eq.<slot>`
    static func equal(_ path: String..., name: String, slot: Int = 0) -> Self {
        Self(
            path: path,
            Filter(
                field: Field(name: name),
                operation: .quantified(.equal, nil, .slot(index: slot, dropping: 3))))
    }

    static func isNull(_ path: String..., name: String, negated: Bool = false) -> Self {
        Self(path: path, Filter(field: Field(name: name), isNegated: negated, operation: .is(.null)))
    }
}

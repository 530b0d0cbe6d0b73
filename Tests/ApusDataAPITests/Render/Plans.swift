import ApusCatalog
import ApusPlanner
import ApusSQL

@testable import ApusDataAPI

typealias Name = QualifiedName

/// Rendered as a server without a pre-request function would have it: plain reads tell no settings.
func render(_ plan: Plan, _ change: (inout RenderSettings) -> Void = { _ in }) -> RenderedPlan {
    var settings = RenderSettings(readsSettingsAfterReads: false)
    change(&settings)
    return Renderer(settings: settings).render(plan)
}

/// The text of the main statement.
func sql(_ plan: Plan, _ change: (inout RenderSettings) -> Void = { _ in }) -> String {
    render(plan, change).main.text.sql
}

/// The rows that a read selects, without what is made of them.
func rows(_ read: ReadPlan, _ change: (inout RenderSettings) -> Void = { _ in }) -> String {
    var settings = RenderSettings()
    change(&settings)
    var builder = StatementBuilder(settings: settings)
    return builder.query(read).text
}

extension Plan {
    static func reading(
        _ read: ReadPlan, _ kind: ResolvedHandler.Kind = .json, mediaType: MediaType = .json,
        count: Preferences.Count? = nil, maxRows: Int? = nil
    ) -> Plan {
        Plan(
            intent: Intent(action: .read, target: read.source), work: .read(read),
            handler: ResolvedHandler(kind: kind, mediaType: mediaType), count: count, maxRows: maxRows,
            range: read.range)
    }

    static func writing(
        _ action: Intent.Action, _ write: WritePlan, then read: ReadPlan = .written("items"),
        _ kind: ResolvedHandler.Kind = .none, preferences: Preferences = Preferences()
    ) -> Plan {
        var mediaType = MediaType.json
        if case .singleJSON(let strips) = kind { mediaType = .singleObject(stripsNulls: strips) }
        return Plan(
            intent: Intent(action: action, target: write.target, preferences: preferences),
            work: .write(write, read), handler: ResolvedHandler(kind: kind, mediaType: mediaType),
            count: nil, maxRows: nil, range: .all)
    }

    static func calling(
        _ call: CallPlan, then read: ReadPlan? = nil, _ kind: ResolvedHandler.Kind = .json,
        count: Preferences.Count? = nil, range: RowRange = .all
    ) -> Plan {
        var read = read ?? .written(call.function.name.name)
        read.range = range
        return Plan(
            intent: Intent(action: .call(isReadOnly: true), target: call.function.name),
            work: .call(call, read), handler: ResolvedHandler(kind: kind, mediaType: .json), count: count,
            maxRows: nil, range: range)
    }
}

extension ReadPlan {
    /// A level of schema `test` that is read from its relation.
    static func of(_ name: String, _ select: [PlannedSelect] = [.all]) -> ReadPlan {
        ReadPlan(select: select, source: Name("test", name), name: name)
    }

    /// The top level of a write or call: its rows by the relation's name.
    static func written(_ name: String, _ select: [PlannedSelect] = [.all]) -> ReadPlan {
        ReadPlan(select: select, source: Name("test", name), sourceAlias: name, name: name)
    }

    func filtered(_ conditions: PlannedCondition...) -> ReadPlan {
        var plan = self
        plan.filters += conditions
        return plan
    }

    func ordered(_ order: PlannedOrder...) -> ReadPlan {
        var plan = self
        plan.order = order
        return plan
    }

    func paged(_ limit: Int?, offset: Int = 0) -> ReadPlan {
        var plan = self
        plan.range = RowRange(offset: offset, limit: limit)
        return plan
    }

    /// With the rows of `child` that point here, under its name.
    func embedding(
        _ child: String, _ select: [PlannedSelect] = [.column("id")],
        join: SelectItem.EmbeddedRelation.Join? = nil, isEmpty: Bool = false,
        _ change: (inout ReadPlan) -> Void = { _ in }
    ) -> ReadPlan {
        attaching(
            child, select, columns: ("id", "\(name)_id"), .array, join: join, isEmpty: isEmpty, change)
    }

    /// With the row of `child` that this one points to, under its name.
    func embedding(
        one child: String, _ select: [PlannedSelect] = [.column("id")],
        join: SelectItem.EmbeddedRelation.Join? = nil, isEmpty: Bool = false,
        _ change: (inout ReadPlan) -> Void = { _ in }
    ) -> ReadPlan {
        attaching(
            child, select, columns: ("\(child)_id", "id"), .object, join: join, isEmpty: isEmpty, change)
    }

    private func attaching(
        _ child: String, _ select: [PlannedSelect], columns: (String, String),
        _ shape: EmbeddedSelect.Shape, join: SelectItem.EmbeddedRelation.Join?, isEmpty: Bool,
        _ change: (inout ReadPlan) -> Void
    ) -> ReadPlan {
        var plan = self
        let alias = "\(child)_\(depth + 1)"
        var level = ReadPlan(
            select: select, source: Name("test", child), sourceAlias: alias, name: child, join: join,
            joinConditions: [
                .init(
                    left: .init(table: Name("", alias), column: columns.1),
                    right: .init(
                        table: sourceAlias.map { Name("", $0) } ?? source, column: columns.0))
            ], subqueryAlias: "\(name)_\(child)_\(depth + 1)", depth: depth + 1)
        change(&level)
        plan.embeddedSelect.append(
            .json(name: child, subqueryAlias: level.subqueryAlias, shape: shape, isEmpty: isEmpty))
        plan.children.append(level)
        return plan
    }
}

extension PlannedSelect {
    static let all = PlannedSelect.column("*")

    static func column(
        _ name: String, path: [JSONStep] = [], alias: String? = nil, cast: String? = nil
    ) -> PlannedSelect {
        PlannedSelect(field: PlannedField(name: name, path: path), cast: cast, alias: alias)
    }

    static func aggregate(_ function: AggregateFunction, _ name: String, alias: String) -> PlannedSelect {
        PlannedSelect(field: PlannedField(name: name), aggregate: function, alias: alias)
    }
}

extension PlannedCondition {
    static func filter(
        _ field: PlannedField, _ operation: Operation, isNegated: Bool = false
    ) -> PlannedCondition {
        .filter(PlannedFilter(field: field, isNegated: isNegated, operation: operation))
    }

    static func filter(_ name: String, _ operation: Operation, isNegated: Bool = false) -> PlannedCondition {
        .filter(PlannedField(name: name), operation, isNegated: isNegated)
    }

    /// `name=eq.…`, the value in the slot.
    static func equals(_ name: String, slot: Int = 0) -> PlannedCondition {
        .filter(name, .quantified(.equal, nil, .slot(index: slot, dropping: 3)))
    }
}

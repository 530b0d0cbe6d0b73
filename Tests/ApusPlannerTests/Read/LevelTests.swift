import ApusFaults
import ApusPlanner
import Testing

@Suite("Filters, orders and limits find their levels")
struct LevelTests {
    let nested: [SelectItem] = [.column("id"), .embed("projects", as: "work", .embed("tasks", .star))]

    @Test("by the path of names from the top")
    func placesByPath() throws {
        let read = try readPlan(
            intent("clients", select: nested) {
                $0.filters = [
                    .equal(name: "id", slot: 0), .equal("work", name: "name", slot: 1),
                    .equal("work", "tasks", name: "id", slot: 2),
                ]
                $0.order = [.init(path: ["work"], [.field(Field(name: "name"), .descending, .last)])]
                $0.range = RowRange(offset: 1, limit: 2)
                $0.embeddedRanges = [.init(path: ["work", "tasks"], RowRange(offset: 0, limit: 3))]
            })
        let work = read.children[0]
        #expect(read.filters.map(slot) == [0])
        #expect(work.filters.map(slot) == [1])
        #expect(work.children[0].filters.map(slot) == [2])
        #expect(work.order.count == 1)
        #expect(read.range == RowRange(offset: 1, limit: 2))
        #expect(work.children[0].range.limit == 3)
    }

    @Test("in the order of the client, logic before filters")
    func keepsOrder() throws {
        let tree = LogicTree.group(isNegated: true, .or, [.filter(Filter.equal("name", slot: 3))])
        let read = try readPlan(
            intent("clients") {
                $0.filters = [.equal(name: "id", slot: 0), .equal(name: "name", slot: 1)]
                $0.logic = [.init(tree)]
            })
        #expect(read.filters.count == 3)
        guard case .group(true, .or, let members) = read.filters[0] else {
            Issue.record("logic is not first")
            return
        }
        #expect(members.map(slot) == [3])
        #expect(read.filters.dropFirst().map(slot) == [0, 1])
    }

    @Test("by the target's name only where legacy names are on")
    func legacyNames() throws {
        let asked = intent("clients", select: nested) { $0.filters = [.equal("projects", name: "id")] }
        let read = try readPlan(asked)
        #expect(read.children[0].isLegacyTargetNameMatch)
        #expect(read.children[0].filters.count == 1)

        let refusal = fault(asked, .with { $0.usesLegacyTargetNames = false })
        #expect(refusal?.code == "PGRST108")
        #expect(refusal?.message == "'projects' is not an embedded resource in this request")
        #expect(refusal?.details == "Target names are not allowed in filters if they have an alias")
        #expect(refusal?.hint == "Change 'projects' to 'work' in filters, orders or limits.")
    }

    @Test("or fail before any name is looked up")
    func unknownLevel() {
        let select: [SelectItem] = [.embed("projects", .embed("nothing", .star))]
        let refusal = fault(
            intent("clients", select: select) { $0.filters = [.equal("projects", "tasks2", name: "id")] })
        #expect(refusal?.code == "PGRST108")
        #expect(refusal?.message == "'tasks2' is not an embedded resource in this request")
        #expect(refusal?.hint == "Verify that 'tasks2' is included in the 'select' query parameter.")
        #expect(refusal?.details == nil)
    }

    @Test("but on a write the top level's filters and all limits are left out")
    func writes() throws {
        let read = try readPlan(
            intent(.delete, "clients", select: nested) {
                $0.filters = [.equal(name: "id"), .equal("work", name: "id", slot: 1)]
                $0.embeddedRanges = [.init(path: ["work"], RowRange(limit: 1))]
            }, .with { $0.maxRows = 2 })
        #expect(read.filters.isEmpty)
        #expect(read.children[0].filters.map(slot) == [1])
        #expect(read.range == .all && read.children[0].range == .all)
        #expect(read.sourceAlias == "clients")
    }

    @Test("db-max-rows caps every level", arguments: [(nil, 5), (3, 3), (9, 5), (0, 0)] as [(Int?, Int)])
    func capsRanges(asked: Int?, capped: Int) throws {
        let read = try readPlan(
            intent("clients", select: nested) { $0.range = RowRange(offset: 7, limit: asked) },
            .with { $0.maxRows = 5 })
        #expect(read.range == RowRange(offset: 7, limit: capped))
        #expect(read.children[0].children[0].range.limit == 5)
    }

    @Test("db-max-rows and the capped range stand in the plan, not on a write")
    func planRange() throws {
        let settings = PlannerSettings.with { $0.maxRows = 5 }
        let read = try plan(intent("clients"), settings)
        #expect(read.maxRows == 5 && read.range == RowRange(limit: 5))
        let write = try plan(intent(.delete, "clients"), settings)
        #expect(write.maxRows == nil && write.range == .all)
    }
}

extension Filter {
    static func equal(_ name: String, slot: Int) -> Filter {
        Filter(
            field: Field(name: name), operation: .quantified(.equal, nil, .slot(index: slot, dropping: 3)))
    }
}

private func slot(_ condition: PlannedCondition) -> Int? {
    guard case .filter(let filter) = condition,
        case .quantified(_, _, .slot(let index, _)) = filter.operation
    else { return nil }
    return index
}

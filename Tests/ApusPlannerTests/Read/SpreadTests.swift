import ApusFaults
import ApusPlanner
import Testing

@Suite("Spreads show their columns on the level above")
struct SpreadTests {
    @Test("their own and those of spreads below")
    func columns() throws {
        let read = try readPlan(
            intent(
                "tasks",
                select: [.spread("project", .column("name"), .spread("clients", .column("id", alias: "who")))]
            ))
        #expect(
            read.embeddedSelect == [
                .spread([.init(name: "name"), .init(name: "who")], subqueryAlias: "tasks_project_1")
            ])
        #expect(read.children[0].spread == .toOne)
    }

    @Test("aggregates of to-one spreads move to the nearest level that is no spread")
    func hoisting() throws {
        let read = try readPlan(
            intent(
                "tasks",
                select: [
                    .column("name"),
                    .spread("project", .spread("clients", .aggregate(.sum, "id"), .column("name"))),
                ]), .withAggregates)
        #expect(
            read.embeddedSelect == [
                .spread(
                    [.init(name: "sum", aggregate: .sum, alias: "sum"), .init(name: "name")],
                    subqueryAlias: "tasks_project_1")
            ])
        let clients = read.children[0].children[0]
        #expect(clients.select[0].aggregate == nil)
        #expect(clients.select[0].alias == "sum")
        #expect(
            read.children[0].embeddedSelect == [
                .spread([.init(name: "sum"), .init(name: "name")], subqueryAlias: "projects_clients_2")
            ])
    }

    @Test("count() of a spread counts its rows, not those above")
    func wholeRow() throws {
        let select: [SelectItem] = [.spread("clients", .aggregate(.count, "*"))]
        let read = try readPlan(intent("projects", select: select), .withAggregates)
        #expect(read.children[0].select[0].field.isWholeRow)
    }

    @Test("aggregates stay where a level is embedded as JSON")
    func noHoisting() throws {
        let read = try readPlan(
            intent("clients", select: [.embed("projects", .aggregate(.count, "id"))]), .withAggregates)
        #expect(read.children[0].select[0].aggregate == .count)
    }

    @Test("to-many spreads are ordered inside their arrays, by columns selected besides")
    func ordering() throws {
        let read = try readPlan(
            intent("clients", select: [.spread("projects", .star, .embed("first_task"))]) {
                $0.order = [
                    .init(
                        path: ["projects"],
                        [
                            .field(Field(name: "name"), .descending, nil),
                            .related(relation: "first_task", Field(name: "id"), nil, .first),
                        ])
                ]
            })
        let projects = read.children[0]
        #expect(projects.order.isEmpty)
        #expect(projects.select.count == 6)
        guard case .toMany(let extra, let order) = projects.spread else {
            Issue.record("not a to-many spread")
            return
        }
        #expect(extra.map(\.relation) == [nil, "projects_first_task_2"])
        #expect(
            extra.map(\.column.alias) == ["clients_projects_1_name_1", "clients_projects_1_id_2"])
        #expect(
            order == [
                .field(PlannedField(name: "clients_projects_1_name_1"), .descending, nil),
                .field(PlannedField(name: "clients_projects_1_id_2"), nil, .first),
            ])
    }

    @Test("aggregates are refused where they are off, and in to-many spreads")
    func refusals() {
        let off = fault(intent("clients", select: [.embed("projects", .aggregate(.sum, "id"))]))
        #expect(off?.code == "PGRST123")
        #expect(off?.message == "Use of aggregate functions is not allowed")

        let toMany = fault(
            intent("clients", select: [.spread("projects", .aggregate(.sum, "id"))]), .withAggregates)
        #expect(toMany?.code == "PGRST127")
        #expect(toMany?.kind == .status(400))
        #expect(
            toMany?.details
                == "Aggregates are not implemented for one-to-many or many-to-many spreads.")
    }

    @Test("also when the aggregate came up from a to-one spread inside")
    func hoistedIntoToMany() {
        let select: [SelectItem] = [.spread("projects", .spread("first_task", .aggregate(.sum, "id")))]
        #expect(fault(intent("clients", select: select), .withAggregates)?.code == "PGRST127")
    }
}

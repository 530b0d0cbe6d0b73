import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("Writes")
struct WriteTests {
    private func write(
        _ intent: Intent, in builder: CatalogBuilder = .projects
    ) throws(PlanFault) -> WritePlan? {
        guard case .write(let write, _) = try plan(intent, in: builder).work else { return nil }
        return write
    }

    @Test("an insert takes the body's keys, typed")
    func insertColumns() throws {
        let plan = try write(
            intent(.insert, "paints") {
                $0.payload = .json(keys: ["tone", "id"])
                $0.preferences.missing = .default
            }, in: .colors)
        guard case .insert(let columns, nil, ["id"]) = plan?.change else {
            Issue.record("not the insert that was asked for")
            return
        }
        #expect(columns.map(\.name) == ["id", "tone"])
        #expect(columns.map(\.type) == ["integer", "json"])
        #expect(columns.map(\.transform) == [nil, "color_from_json"])
        #expect(columns.map(\.defaultExpression) == [nil, "0"])
        #expect(plan?.appliesDefaults == true)
        #expect(plan?.takesBody == true)
        #expect(plan?.returning == [])
    }

    @Test("columns names the keys of a body that nobody looked into")
    func columnsParameter() throws {
        let plan = try write(
            intent(.update, "clients") {
                $0.payload = .uninspectedJSON
                $0.columns = ["name"]
            })
        guard case .update(let columns) = plan?.change else {
            Issue.record("not an update")
            return
        }
        #expect(columns.map(\.name) == ["name"])
    }

    @Test("a key that is no column is told")
    func unknownColumn() {
        let refusal = fault(intent(.insert, "articles") { $0.payload = .json(keys: ["helicopter"]) })
        #expect(refusal?.code == "PGRST204")
        #expect(refusal?.kind == .invalid)
        #expect(
            refusal?.message == "Could not find the 'helicopter' column of 'articles' in the schema cache")
    }

    @Test(
        "conflicts are on on_conflict, else on the primary key, else nowhere",
        arguments: [
            ("clients", nil, ["id"]), ("clients", ["name"], ["name"]), ("projects_view", nil, nil),
        ] as [(String, [String]?, [String]?)])
    func conflict(target: String, onConflict: [String]?, columns: [String]?) throws {
        let plan = try write(
            intent(.insert, target) {
                $0.payload = .json(keys: [])
                $0.preferences.resolution = .ignoreDuplicates
                $0.onConflict = onConflict
            })
        guard case .insert(_, let conflict, _) = plan?.change else {
            Issue.record("not an insert")
            return
        }
        #expect(conflict?.columns == columns)
    }

    @Test("filters of an update or delete say which rows, those of levels do not")
    func filters() throws {
        let plan = try write(
            intent(.delete, "clients", select: [.embed("projects")]) {
                $0.filters = [.equal("projects", name: "id"), .equal(name: "id", slot: 1)]
            })
        #expect(plan?.filters.count == 1)
        #expect(plan?.takesBody == false)
    }

    @Test("PUT needs the key and nothing else, with eq")
    func upsertFilters() throws {
        func put(_ filters: [Intent.Placed<Filter>], into target: String = "users_tasks") -> Intent {
            intent(.upsertOne, target) {
                $0.filters = filters
                $0.payload = .json(keys: ["user_id"])
                $0.preferences.missing = .default
            }
        }
        let user = Intent.Placed<Filter>.equal(name: "user_id")
        let task = Intent.Placed<Filter>.equal(name: "task_id")
        let plan = try write(put([task, user]))
        guard case .insert(_, let conflict, let key) = plan?.change else {
            Issue.record("not an insert")
            return
        }
        #expect(conflict == .init(resolution: .mergeDuplicates, columns: ["user_id", "task_id"]))
        #expect(key == [])
        #expect(plan?.filters.count == 2)
        #expect(plan?.appliesDefaults == false)

        var negated = user
        negated.value.isNegated = true
        for refused in [
            [user], [user, task, .equal(name: "id")], [negated, task], [.isNull(name: "user_id"), task],
        ] {
            #expect(throws: PlanFault.filtersAreNotTheKey) { try write(put(refused)) }
        }
        let refusal = fault(put([], into: "projects_view"))
        #expect(refusal?.code == "PGRST105")
        #expect(refusal?.kind == .status(405))
        #expect(
            refusal?.message
                == "Filters must include all and only primary key columns with 'eq' operators")
    }

    @Test("what the read needs comes back: selected, joined by, ordered by, the key")
    func returning() throws {
        func returning(
            _ select: [SelectItem], _ change: (inout Intent) -> Void = { _ in }
        ) throws -> [String]? {
            try write(
                intent(.update, "projects", select: select) {
                    $0.payload = .json(keys: ["name"])
                    $0.preferences.representation = .full
                    change(&$0)
                })?.returning
        }
        #expect(try returning([.star, .embed("clients")]) == ["*"])
        #expect(try returning([.column("name"), .embed("clients")]) == ["client_id", "id", "name"])
        #expect(try returning([.column("name"), .embed("first_task")]) == ["*"])
        #expect(
            try returning([.column("name")]) {
                $0.order = [.init([.field(Field(name: "data"), nil, nil)])]
            } == ["data", "id", "name"])
        #expect(try returning([.star]) { $0.preferences.representation = .minimal } == [])
    }

    @Test("a relation that is not there is told, with the nearest name")
    func unknownRelation() {
        let refusal = fault(intent(.delete, "projectx"))
        #expect(refusal?.code == "PGRST205")
        #expect(refusal?.kind == .notFound)
        #expect(refusal?.message == "Could not find the table 'test.projectx' in the schema cache")
        #expect(refusal?.hint == "Perhaps you meant the table 'test.projects'")
    }

    @Test("strict handling refuses preferences that nobody knows, before the form of the answer")
    func strict() {
        let refusal = fault(
            intent(.delete, "clients") {
                $0.preferences.handling = .strict
                $0.preferences.unknown = ["something", "else"]
                $0.accept = [.xml]
            })
        #expect(refusal?.code == "PGRST122")
        #expect(refusal?.message == "Invalid preferences given with handling=strict")
        #expect(refusal?.details == "Invalid preferences: something, else")
        #expect(fault(intent("clients") { $0.preferences.unknown = ["something"] }) == nil)
    }
}

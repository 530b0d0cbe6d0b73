import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("Embedded names lead to relationships")
struct RelationshipTests {
    private func child(_ target: String, _ item: SelectItem) throws(PlanFault) -> ReadPlan {
        try readPlan(intent(target, select: [item])).children[0]
    }

    @Test(
        "by relation, constraint or column, with or without a hint",
        arguments: [
            ("projects", SelectItem.embed("clients"), "clients"),
            ("projects", .embed("client"), "clients"),
            ("projects", .embed("client_id"), "clients"),
            ("projects", .embed("clients", hint: "client"), "clients"),
            ("projects", .embed("clients", hint: "client_id"), "clients"),
            ("projects", .embed("clients", hint: "id"), "clients"),
            ("clients", .embed("projects", hint: "client_id"), "projects"),
            ("users", .embed("tasks", hint: "users_tasks"), "tasks"),
            ("projects", .embed("first_task"), "tasks"),
            ("tasks", .embed("projects_view"), "projects_view"),
            ("tasks", .embed("project"), "projects"),
        ])
    func finds(target: String, item: SelectItem, source: String) throws {
        #expect(try child(target, item).source == Name("test", source))
    }

    @Test("of a relation to itself: the relation's name for the many, the column's for the one")
    func selfReference() throws {
        #expect(try child("family", .embed("family")).relationship?.isToOne == false)
        #expect(try child("family", .embed("parent")).relationship?.isToOne == true)
        #expect(try child("family", .embed("family", hint: "parent")).relationship?.isToOne == false)
        #expect(fault(intent("family", select: [.embed("family", hint: "id")]))?.code == "PGRST200")
    }

    @Test("and joins them under aliases that can stand beside the level above")
    func joinConditions() throws {
        let read = try readPlan(
            intent("family", select: [.embed("family", as: "kids", .embed("parent"))]))
        let kids = read.children[0]
        #expect(kids.sourceAlias == "family_1")
        #expect(kids.subqueryAlias == "family_kids_1")
        #expect(
            kids.joinConditions == [
                join(Name("", "family_1"), "parent", Name("test", "family"), "id")
            ])
        let parent = kids.children[0]
        #expect(parent.sourceAlias == "family_2")
        #expect(parent.subqueryAlias == "family_parent_2")
        #expect(
            parent.joinConditions == [
                join(Name("", "family_2"), "id", Name("", "family_1"), "parent")
            ])
    }

    @Test("through a junction that stands beside the target")
    func junction() throws {
        let tasks = try child("users", .embed("tasks"))
        #expect(tasks.sourceAlias == nil)
        let junction = Name("test", "users_tasks")
        #expect(
            tasks.joinConditions == [
                join(junction, "task_id", Name("test", "tasks"), "id"),
                join(junction, "user_id", Name("test", "users"), "id"),
            ])
    }

    @Test("and the top level of a write or a call goes by the relation's name")
    func writeRoot() throws {
        let read = try readPlan(
            intent(.insert, "projects", select: [.embed("clients"), .embed("first_task")]))
        #expect(
            read.children[0].joinConditions == [
                join(Name("", "clients_1"), "id", Name("", "projects"), "client_id")
            ])
        #expect(read.children[1].joinConditions.isEmpty)
        #expect(read.children[1].sourceAlias == "tasks_1")
    }

    @Test("a function that is named like a relation replaces the foreign keys to it")
    func override() throws {
        let builder = CatalogBuilder.projects.computed("clients", from: "projects", to: "users", one: true)
        let read = try readPlan(intent("projects", select: [.embed("clients")]), in: builder)
        #expect(read.children[0].source == Name("test", "users"))
    }

    @Test("only inside the schema of the request")
    func otherSchema() {
        let hidden = Relationship(
            source: Name("test", "clients"), target: Name("private", "vault"),
            cardinality: .oneToMany(constraint: "secret", columns: [.init("id", "client_id")]))
        var catalog = CatalogBuilder.projects.catalog
        catalog.relationships[Name("test", "clients")]?.append(hidden)
        let planner = Planner(settings: PlannerSettings(schemas: ["test"]))
        #expect(
            throws: PlanFault.relationshipNotFound(
                .init(
                    parent: "clients", child: "vault", hint: nil, schema: "test", suggestion: nil))
        ) {
            _ = try planner.plan(intent("clients", select: [.embed("vault")]), in: catalog)
        }
    }

    private func join(
        _ left: Name, _ leftColumn: String, _ right: Name, _ rightColumn: String
    ) -> ReadPlan.JoinCondition {
        .init(
            left: .init(table: left, column: leftColumn), right: .init(table: right, column: rightColumn))
    }
}

import ApusCatalog
import ApusFaults
import ApusPlanner
import ApusPostgres
import Testing

@testable import ApusDataAPI

@Suite struct WriteExecutionTests {
    private static let id = PlannedField(
        name: "id", type: "integer", defaultExpression: "nextval('test.items_id_seq'::regclass)")
    private static let name = PlannedField(
        name: "name", type: "text", defaultExpression: "'unnamed'::text")
    private let shown = ReadPlan.written("items", [.column("id"), .column("name")])

    private func write(
        _ change: WritePlan.Change, filters: [PlannedCondition] = [], returning: [String] = [],
        appliesDefaults: Bool = false, to target: String = "items"
    ) -> WritePlan {
        WritePlan(
            target: Name("test", target), change: change, filters: filters, returning: returning,
            appliesDefaults: appliesDefaults, takesBody: true, targetIsView: false)
    }

    private func insert(
        _ columns: [PlannedField] = [id, name], _ resolution: Preferences.Resolution? = nil
    ) -> WritePlan.Change {
        .insert(
            columns: columns, conflict: resolution.map { .init(resolution: $0, columns: ["id"]) },
            primaryKey: ["id"])
    }

    @Test(arguments: [
        (#"{"id":10,"name":"x"}"#, 1), (#"[{"id":10,"name":"x"},{"id":11,"name":"y"}]"#, 2), ("[]", 0),
    ])
    func minimal(_ body: String, _ count: Int) async throws {
        let result = try await RenderDatabase.run(.writing(.insert, write(insert())), body: body)
        #expect(result.pageTotal == count)
    }

    @Test func representation() async throws {
        let plan = write(insert(), returning: ["id", "name", "shop_id"])
        let result = try await RenderDatabase.run(
            .writing(.insert, plan, then: shown.embedding(one: "shop"), .json),
            body: #"[{"id":10,"name":"x"}]"#)
        #expect(result.body == #"[{"id":10,"name":"x","shop":null}]"#)
    }

    @Test func objectsWithoutKeysAreRowsOfDefaults() async throws {
        let plan = write(insert([]), returning: ["name"])
        let read = ReadPlan.written("items", [.column("name")])
        let one = try await RenderDatabase.run(.writing(.insert, plan, then: read, .json), body: "{}")
        #expect(one.body == #"[{"name":"unnamed"}]"#)
        let two = try await RenderDatabase.run(.writing(.insert, plan, then: read, .json), body: "[{},{}]")
        #expect(two.pageTotal == 2)
    }

    @Test func missingKeysTakeDefaults() async throws {
        let plan = write(insert(), returning: ["id", "name"], appliesDefaults: true)
        let result = try await RenderDatabase.run(
            .writing(.insert, plan, then: shown, .json), body: #"[{"id":10},{"id":11,"name":"y"}]"#)
        #expect(result.body == "[{\"id\":10,\"name\":\"unnamed\"}, \n {\"id\":11,\"name\":\"y\"}]")
    }

    @Test func location() async throws {
        let plan = write(insert(), returning: ["id"])
        let preferences = Preferences(representation: .headersOnly)
        let one = try await RenderDatabase.run(
            .writing(.insert, plan, preferences: preferences), body: #"{"id":10,"name":"x"}"#)
        #expect(one.location == ["id=eq.10"])
        let two = try await RenderDatabase.run(
            .writing(.insert, plan, preferences: preferences),
            body: #"[{"id":10,"name":"x"},{"id":11,"name":"x"}]"#)
        #expect(two.location == [])
    }

    @Test(arguments: ["items", "shown_items"])
    func mergesTellNewRows(_ target: String) async throws {
        let plan = write(insert([Self.id, Self.name], .mergeDuplicates), to: target)
        let result = try await RenderDatabase.run(
            .writing(.insert, plan, preferences: Preferences(resolution: .mergeDuplicates)),
            body: #"[{"id":1,"name":"x"},{"id":2,"name":"y"},{"id":10,"name":"z"}]"#)
        #expect(result.pageTotal == 3)
        #expect(result.inserted == 1)
    }

    @Test func ignoredDuplicatesAreNotCounted() async throws {
        let plan = write(insert([Self.id, Self.name], .ignoreDuplicates))
        let result = try await RenderDatabase.run(
            .writing(.insert, plan), body: #"[{"id":1,"name":"x"},{"id":10,"name":"z"}]"#)
        #expect(result.pageTotal == 1)
    }

    @Test(arguments: [(10, 1), (1, 0)])
    func put(_ id: Int, _ inserted: Int) async throws {
        let plan = write(
            insert([Self.id, Self.name], .mergeDuplicates), filters: [.equals("id")])
        let result = try await RenderDatabase.run(
            .writing(.upsertOne, plan), values: ["eq.\(id)"], body: #"{"id":\#(id),"name":"x"}"#)
        #expect(result.pageTotal == 1)
        #expect(result.inserted == inserted)
    }

    @Test func putOfAnotherKeyFails() async throws {
        let plan = write(
            insert([Self.id, Self.name], .mergeDuplicates), filters: [.equals("id")])
        let refusal = await #expect(throws: PostgresFault.self) {
            try await RenderDatabase.run(
                .writing(.upsertOne, plan), values: ["eq.10"], body: #"{"id":11,"name":"x"}"#)
        }
        #expect(refusal.flatMap(RowGuard.fault(of:))?.code == "PGRST115")
    }

    @Test func update() async throws {
        let plan = write(.update(columns: [Self.name]), filters: [.equals("id")], returning: ["id", "name"])
        let result = try await RenderDatabase.run(
            .writing(.update, plan, then: shown, .json), values: ["eq.1"], body: #"{"name":"x"}"#)
        #expect(result.body == #"[{"id":1,"name":"x"}]"#)
    }

    @Test func anUpdateOfNothing() async throws {
        let plan = write(.update(columns: []), returning: ["id", "name"])
        let result = try await RenderDatabase.run(
            .writing(.update, plan, then: shown, .json), body: "{}")
        #expect(result.body == "[]")
        let minimal = try await RenderDatabase.run(
            .writing(.update, write(.update(columns: []))), body: "{}")
        #expect(minimal.pageTotal == 0)
    }

    @Test func delete() async throws {
        let plan = write(.delete, filters: [.filter("id", .isIn(.literal("(1,2)")))])
        let result = try await RenderDatabase.run(.writing(.delete, plan))
        #expect(result.pageTotal == 2)
    }

    @Test(arguments: [(1, true), (3, false)])
    func limitsOnRows(_ most: Int, _ fails: Bool) async throws {
        let preferences = Preferences(handling: .strict, maxAffected: most)
        let plan = Plan.writing(.delete, write(.delete), preferences: preferences)
        if fails {
            let refusal = await #expect(throws: PostgresFault.self) {
                try await RenderDatabase.run(plan)
            }
            #expect(refusal.flatMap(RowGuard.fault(of:))?.code == "PGRST124")
        } else {
            #expect(try await RenderDatabase.run(plan).pageTotal == 3)
        }
    }
}

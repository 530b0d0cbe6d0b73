import ApusCatalog
import ApusPlanner
import Testing

@Suite("Fields get types, conversions and names")
struct FieldTests {
    @Test("a star stays unless a column is shown in another form")
    func stars() throws {
        #expect(try readPlan(intent("projects")).select.map(\.field.name) == ["*"])
        let paints = try readPlan(intent("paints"), in: .colors)
        #expect(paints.select.map(\.field.name) == ["id", "name", "tone"])
        #expect(paints.select.map(\.field.transform) == [nil, nil, "color_to_json"])
        #expect(paints.select.map(\.alias) == [nil, nil, "tone"])
    }

    @Test("a star beside an aggregate, and all below, becomes columns")
    func starsBesideAggregates() throws {
        let select: [SelectItem] = [.star, .aggregate(.count, "*"), .embed("clients", .star)]
        let read = try readPlan(intent("projects", select: select), .withAggregates)
        #expect(
            read.select.map(\.field.name)
                == ["id", "name", "client_id", "data", "facts", "tags", "*"])
        #expect(read.children[0].select.map(\.field.name) == ["id", "name"])
    }

    @Test("a filter reads the client's text through the domain's function")
    func filterRepresentation() throws {
        let read = try readPlan(
            intent("paints") { $0.filters = [.equal(name: "tone")] }, in: .colors)
        guard case .filter(let filter) = read.filters[0] else {
            Issue.record("no filter")
            return
        }
        #expect(filter.field.transform == "color_from_text")
        #expect(filter.field.type == "text")
        #expect(filter.field.baseType == "integer")
    }

    @Test(
        "full-text search converts what is no tsvector",
        arguments: [("body", true), ("found", false), ("unknown", false)])
    func fullText(column: String, converts: Bool) throws {
        let search = Operation.fullText(.websearch, language: "english", .slot(index: 0, dropping: 5))
        let read = try readPlan(
            intent("articles") {
                $0.filters = [.init(Filter(field: Field(name: column), operation: search))]
            })
        guard case .filter(let filter) = read.filters[0] else {
            Issue.record("no filter")
            return
        }
        #expect(filter.field.textSearch == (converts ? .init(language: "english") : nil))
    }

    @Test(
        "a path needs JSON made of all but JSON",
        arguments: [("data", false), ("facts", false), ("tags", true), ("unknown", true)])
    func paths(column: String, needsJSON: Bool) throws {
        let read = try readPlan(intent("projects", select: [.path(column, .key("a"))]))
        #expect(read.select[0].field.needsJSON == needsJSON)
    }

    @Test(
        "a path is named after its last key",
        arguments: [
            (SelectItem.path("data", .key("a"), .key("b")), "b"),
            (.path("data", .key("a"), .index("1")), "a"),
            (.path("data", .index("1")), "data"),
        ])
    func pathNames(item: SelectItem, name: String) throws {
        #expect(try readPlan(intent("projects", select: [item])).select[0].alias == name)
    }

    @Test("embedded columns get the type of the relation that a column's name leads to")
    func typesThroughColumnNames() throws {
        let builder = CatalogBuilder.colors
            .table("walls", "id", "paint_id")
            .foreignKey("wall_paint", from: "walls", to: "paints", on: [("paint_id", "id")])
        let read = try readPlan(
            intent("walls", select: [.embed("paint_id", .column("tone"))]), in: builder)
        #expect(read.children[0].select[0].field.transform == "color_to_json")
    }

    @Test("unknown columns are left for the database to judge")
    func unknownColumns() throws {
        let read = try readPlan(intent("projects", select: [.column("computed_thing")]))
        #expect(read.select[0].field == PlannedField(name: "computed_thing"))
    }
}

import ApusFaults
import ApusPlanner
import Testing

@Suite("Embedded levels show, filter and order the level above")
struct EmbeddingTests {
    @Test("as an object or an array under the name the client gave")
    func shapes() throws {
        let read = try readPlan(
            intent(
                "projects", select: [.embed("clients", as: "who", .star), .embed("tasks", .embed("users"))]))
        #expect(
            read.embeddedSelect == [
                .json(name: "who", subqueryAlias: "projects_who_1", shape: .object, isEmpty: false),
                .json(name: "tasks", subqueryAlias: "projects_tasks_1", shape: .array, isEmpty: true),
            ])
    }

    @Test("is.null asks for the level when it has the name of one, at any depth of logic")
    func nullFilters() throws {
        let nested = LogicTree.group(
            isNegated: false, .or,
            [.filter(Filter(field: Field(name: "clients"), isNegated: true, operation: .is(.null)))])
        let read = try readPlan(
            intent("projects", select: [.embed("clients")]) {
                $0.filters = [.isNull(name: "clients"), .isNull(name: "name")]
                $0.logic = [.init(nested)]
            })
        let alias = "projects_clients_1"
        #expect(
            read.filters[0]
                == .group(isNegated: false, .or, [.embeddedIsNull(isNegated: true, subqueryAlias: alias)]))
        #expect(read.filters[1] == .embeddedIsNull(isNegated: false, subqueryAlias: alias))
        guard case .filter(let filter) = read.filters[2] else {
            Issue.record("a column's filter was taken for a level's")
            return
        }
        #expect(filter.field.name == "name")
    }

    @Test("a related order needs an embedded to-one relation")
    func relatedOrders() throws {
        func asked(_ target: String, _ item: SelectItem, by name: String) -> Intent {
            intent(target, select: [item]) {
                $0.order = [.init([.related(relation: name, Field(name: "id"), .ascending, nil)])]
            }
        }
        let read = try readPlan(asked("projects", .embed("clients", as: "who"), by: "who"))
        #expect(
            read.order == [
                .related(subqueryAlias: "projects_who_1", Field(name: "id"), .ascending, nil)
            ])

        let toMany = fault(asked("clients", .embed("projects", as: "pros"), by: "pros"))
        #expect(toMany?.code == "PGRST118")
        #expect(toMany?.message == "A related order on 'pros' is not possible")
        #expect(
            toMany?.details
                == "'clients' and 'pros' do not form a many-to-one or one-to-one relationship")

        let unknown = fault(asked("projects", .embed("clients"), by: "clientsx"))
        #expect(unknown?.code == "PGRST108")
        #expect(unknown?.hint == "Verify that 'clientsx' is included in the 'select' query parameter.")
    }
}

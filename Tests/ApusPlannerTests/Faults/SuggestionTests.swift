import ApusCatalog
import Testing

@testable import ApusPlanner

@Suite("The nearest name")
struct SuggestionTests {
    private let states = ClosestName(among: [
        "Alaska", "California", "Connecticut", "Kansas", "Maryland", "Pennsylvania", "Rhode Island",
        "Virgin Islands", "Wyoming",
    ])

    @Test(
        "is found by common letters, then by edits",
        arguments: [
            ("Burger Islands", "Virgin Islands"), ("Why-oh-me-ing", "Wyoming"),
            ("Connect a cat", "Connecticut"), ("Transylvania", "Pennsylvania"), ("CanOfSauce", "Kansas"),
            ("alaska", "Alaska"),
        ])
    func finds(query: String, name: String) {
        #expect(states.best(for: query) == name)
    }

    @Test("has a score by edit distance")
    func scores() {
        let matches = ClosestName(among: ["Shaggy Rogers", "Fred Jones", "Daphne Blake"])
            .matches(for: "Shaggy Jones")
        #expect(matches.map(\.name) == ["Shaggy Rogers", "Fred Jones"])
        #expect(abs(matches[0].score - 10.0 / 13.0) < 1e-9)
        #expect(abs(matches[1].score - 0.5) < 1e-9)
    }

    @Test("is nothing when nothing is near, or there is nothing", arguments: ["qqq", "", "-", "日本"])
    func nothing(query: String) {
        #expect(states.best(for: query) == nil)
        #expect(ClosestName(among: []).best(for: query) == nil)
    }

    @Test(
        "a relation must be three quarters alike before it is told",
        arguments: [("projectx", "projects"), ("projecxx", "projects"), ("projxxxx", nil)]
            as [(String, String?)])
    func threshold(query: String, name: String?) {
        let suggestions = Suggestions(catalog: CatalogBuilder.projects.catalog)
        #expect(suggestions.relation(for: Name("test", query)) == name)
        #expect(suggestions.relation(for: Name("other", query)) == nil)
    }

    @Test("no relation is suggested among very many")
    func limit() {
        func builder(_ count: Int) -> CatalogBuilder {
            (0..<count).reduce(CatalogBuilder()) { $0.table("table_number_\($1)", "id") }
        }
        let wanted = Name("test", "table_numbr_1")
        #expect(Suggestions(catalog: builder(499).catalog).relation(for: wanted) == "table_number_1")
        #expect(Suggestions(catalog: builder(500).catalog).relation(for: wanted) == nil)
    }
}

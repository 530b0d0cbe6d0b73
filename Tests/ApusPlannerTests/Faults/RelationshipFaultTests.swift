import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("Faults about relationships")
struct RelationshipFaultTests {
    @Test("several relationships: all of them as JSON, and how to mean one")
    func ambiguous() {
        let builder = CatalogBuilder()
            .table("sites", "id", "main_project_id").table("big_projects", "id")
            .junction(
                "main_jobs", "sites", "jobs_site_id_fkey", "site_id", "big_projects",
                "jobs_big_project_id_fkey", "big_project_id"
            )
            .junction(
                "jobs", "sites", "jobs_site_id_fkey", "site_id", "big_projects",
                "jobs_big_project_id_fkey", "big_project_id"
            )
            .foreignKey(
                "main_project", from: "sites", to: "big_projects",
                on: [("main_project_id", "big_project_id")])
        let refusal = fault(intent("sites", select: [.star, .embed("big_projects", .star)]), in: builder)
        #expect(refusal?.code == "PGRST201")
        #expect(refusal?.kind == .status(300))
        #expect(refusal?.detailsAreJSON == true)
        #expect(
            refusal?.message
                == "Could not embed because more than one relationship was found for 'sites' and 'big_projects'"
        )
        #expect(
            refusal?.hint
                == "Try changing 'big_projects' to one of the following: 'big_projects!main_project', 'big_projects!jobs', 'big_projects!main_jobs'. Find the desired relationship in the 'details' key."
        )
        let expected = [
            #"{"cardinality":"many-to-one","embedding":"sites with big_projects","relationship":"main_project using sites(main_project_id) and big_projects(big_project_id)"}"#,
            #"{"cardinality":"many-to-many","embedding":"sites with big_projects","relationship":"jobs using jobs_site_id_fkey(site_id) and jobs_big_project_id_fkey(big_project_id)"}"#,
            #"{"cardinality":"many-to-many","embedding":"sites with big_projects","relationship":"main_jobs using jobs_site_id_fkey(site_id) and jobs_big_project_id_fkey(big_project_id)"}"#,
        ]
        #expect(refusal?.details == "[" + expected.joined(separator: ",") + "]")
    }

    @Test("of both directions the many come first, and composite keys list their columns")
    func sorted() {
        let builder = CatalogBuilder().table("a", "id").table("b", "id")
            .foreignKey("a_b", from: "a", to: "b", on: [("x", "p"), ("y", "q")])
            .foreignKey("b_a", from: "b", to: "a", on: [("a_id", "id")])
        let refusal = fault(intent("a", select: [.embed("b")]), in: builder)
        #expect(
            refusal?.details
                == #"[{"cardinality":"one-to-many","embedding":"a with b","relationship":"b_a using a(id) and b(a_id)"},{"cardinality":"many-to-one","embedding":"a with b","relationship":"a_b using a(x, y) and b(p, q)"}]"#
        )
    }

    @Test("names are escaped where they stand in JSON")
    func escaping() {
        let builder = CatalogBuilder().table("a", "id").table("b\"\\\n\u{1}", "id")
            .foreignKey("one", from: "a", to: "b\"\\\n\u{1}", on: [("x", "id")])
            .foreignKey("two", from: "a", to: "b\"\\\n\u{1}", on: [("y", "id")])
        let refusal = fault(intent("a", select: [.embed("b\"\\\n\u{1}")]), in: builder)
        #expect(refusal?.details?.contains(#""embedding":"a with b\"\\\n\u0001""#) == true)
    }

    @Test("no relationship: what was searched for, with the hint, and the nearest name")
    func notFound() {
        let hinted = fault(intent("projects", select: [.embed("clients", hint: "space")]))
        #expect(hinted?.code == "PGRST200")
        #expect(hinted?.kind == .invalid)
        #expect(
            hinted?.message
                == "Could not find a relationship between 'projects' and 'clients' in the schema cache")
        #expect(
            hinted?.details
                == "Searched for a foreign key relationship between 'projects' and 'clients' using the hint 'space' in the schema 'test', but no matches were found."
        )
        #expect(hinted?.hint == nil)

        let child = fault(intent("projects", select: [.embed("client")]), in: .films)
        #expect(child?.code == "PGRST200")
    }

    @Test("a better child when the parent has relationships, else a better parent")
    func suggestions() {
        func hint(_ parent: String, _ child: String) -> String? {
            fault(intent(parent, select: [.embed(child)]), in: .films)?.hint
        }
        #expect(hint("film", "directors") == nil, "a relation that has none is not another one")
        #expect(hint("films", "role") == "Perhaps you meant 'roles' instead of 'role'.")
        #expect(hint("films", "noclosealternative") == nil)
        #expect(hint("noclosealternative", "roles") == nil)
    }
}

extension CatalogBuilder {
    fileprivate static var films: CatalogBuilder {
        CatalogBuilder().table("film", "id").table("films", "id").table("noclosealternative", "id")
            .table("projects", "id")
            .relationship("films", "directors", .oneToMany(constraint: "d", columns: [.init("id", "film")]))
            .relationship("films", "roles", .oneToMany(constraint: "r", columns: [.init("id", "film")]))
            .relationship("films", "actors", .oneToMany(constraint: "a", columns: [.init("id", "film")]))
    }
}

import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@Suite("The form of the answer is negotiated")
struct NegotiationTests {
    private let builder = CatalogBuilder.projects
        .handler("as_xml", for: "projects", .xml)
        .handler("as_bytes", for: "clients", .octetStream, any: true)
        .handler("as_text", for: nil, .plainText)
        .handler("own_csv", for: nil, .csv)

    private func handler(
        _ target: String, _ accept: MediaType..., select: [SelectItem] = [.star]
    ) throws -> ResolvedHandler {
        try plan(intent("\(target)", select: select) { $0.accept = accept }, in: builder).handler
    }

    @Test("the first acceptable type that there is a handler for")
    func builtIn() throws {
        #expect(try handler("users", .any) == .init(kind: .json, mediaType: .json))
        #expect(try handler("users", .xml, .geoJSON) == .init(kind: .geoJSON, mediaType: .geoJSON))
        #expect(
            try handler("users", .singleObject(stripsNulls: true))
                == .init(kind: .singleJSON(stripsNulls: true), mediaType: .singleObject(stripsNulls: true)))
        #expect(try handler("users", .arrayWithoutNulls).kind == .arrayWithoutNulls)
    }

    @Test("a relation's own handlers count when whole rows are selected")
    func custom() throws {
        let xml = ResolvedHandler(
            kind: .custom(Name("test", "as_xml"), .relation(Name("test", "projects"))), mediaType: .xml)
        #expect(try handler("projects", .xml) == xml)
        #expect(throws: PlanFault.noAcceptableMediaType([.xml])) {
            try handler("projects", .xml, select: [.column("id")])
        }
        #expect(throws: PlanFault.noAcceptableMediaType([.xml])) {
            try handler("projects", .xml, select: [.star, .embed("clients")])
        }
    }

    @Test("a handler for anything answers anything")
    func any() throws {
        #expect(try handler("clients", .csv).mediaType == .octetStream)
        #expect(try handler("clients", .json, select: [.column("id")]).kind == .json)
    }

    @Test("handlers for any relation come before what is built in")
    func anyElement() throws {
        #expect(try handler("users", .plainText).kind == .custom(Name("test", "as_text"), .anyElement))
        #expect(try handler("users", .csv).kind == .custom(Name("test", "own_csv"), .anyElement))
    }

    @Test("query plans only where they are shown")
    func plans() throws {
        let explained = MediaType.plan(of: .singleObject(stripsNulls: false), format: .json, options: [])
        #expect(throws: PlanFault.noAcceptableMediaType([explained])) { try handler("users", explained) }
        let shown = try plan(
            intent("users") { $0.accept = [explained] }, in: builder, .with { $0.planEnabled = true })
        #expect(shown.handler == .init(kind: .singleJSON(stripsNulls: false), mediaType: explained))
    }

    @Test("no body is made for HEAD, nor for a write that nobody wants back")
    func noBody() throws {
        func kind(_ intent: Intent) throws -> ResolvedHandler.Kind { try plan(intent).handler.kind }
        #expect(try kind(intent("users") { $0.wantsBody = false }) == .none)
        #expect(try kind(intent(.delete, "users")) == .none)
        #expect(try kind(intent(.delete, "users") { $0.preferences.representation = .full }) == .json)
    }

    @Test("a function's handlers go by its name, or by the relation of its rows")
    func functions() throws {
        let builder = builder.function("picture").handler("image/png", for: "picture", .other("image/png"))
            .function("all", returns: .rows(of: "projects"))
        func handler(_ name: String, _ accept: MediaType) throws -> ResolvedHandler {
            try plan(
                intent(.call(isReadOnly: true), name) { $0.accept = [accept] }, in: builder
            ).handler
        }
        #expect(try handler("picture", .other("image/png")).mediaType == .other("image/png"))
        #expect(try handler("all", .xml).mediaType == .xml)
    }

    @Test("nothing acceptable is told with what was asked for")
    func refusal() {
        let accept: [MediaType] = [
            .other("image/png"), .plan(of: .csv, format: .text, options: [.analyze, .wal]),
        ]
        let refusal = fault(intent("users") { $0.accept = accept })
        #expect(refusal?.code == "PGRST107")
        #expect(refusal?.kind == .notAcceptable)
        #expect(
            refusal?.message
                == "None of these media types are available: image/png, application/vnd.pgrst.plan+text; for=\"text/csv\"; options=analyze|wal"
        )
    }

    @Test("a schema is described in OpenAPI to whoever accepts it or JSON")
    func description() throws {
        let planner = Planner(settings: PlannerSettings())
        #expect(try planner.negotiateDescription(accept: [.csv, .json]) == .openAPI)
        #expect(throws: PlanFault.noAcceptableMediaType([.csv])) {
            try planner.negotiateDescription(accept: [.csv])
        }
    }
}

import Testing

@testable import ApusCatalog

@Suite struct CatalogComparisonTests {
    private let catalog = Catalog(version: 1, serverVersion: 180_001, schemas: ["public": nil])

    @Test func theVersionIsNoContent() {
        var later = catalog
        later.version = 2
        #expect(catalog.hasSameContents(as: later))
    }

    @Test func everyFieldIsContent() {
        let name = QualifiedName("public", "birds")
        let changes: [(inout Catalog) -> Void] = [
            { $0.serverVersion = 150_000 },
            { $0.schemas["public"] = "commented" },
            { $0.relations[name] = Relation(name: name, oid: 1, kind: .table, columns: []) },
            { $0.functions[name] = [] },
            { $0.relationships[name] = [] },
            {
                $0.representations[.init("a", "b")] = .init(sourceType: "a", targetType: "b", function: "f")
            },
            { $0.mediaHandlers = [.init(function: name, input: .anyElement, mediaType: .csv)] },
            { $0.timezones = ["UTC"] },
            { $0.roleSettings["anon"] = [] },
            { $0.roleIsolation["anon"] = "serializable" },
            { $0.requestSettingsUse.path.toggle() },
            { $0.mayShapeResponses.toggle() },
            { $0.hasPostGIS.toggle() },
        ]
        for (index, change) in changes.enumerated() {
            var other = catalog
            change(&other)
            #expect(!catalog.hasSameContents(as: other), "change \(index)")
        }
    }
}

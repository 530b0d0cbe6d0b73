package import ApusCatalog

/// A small catalog with one of everything, in schema `test`: what requests are made up for.
package enum SpecimenCatalog {
    package static let value = Catalog(
        version: 1, serverVersion: 180_000, schemas: ["test": nil],
        relations: Dictionary(uniqueKeysWithValues: relations.map { ($0.name, $0) }),
        functions: Dictionary(grouping: functions, by: \.name), relationships: relationships,
        representations: representations,
        mediaHandlers: [
            .init(
                function: name("titles"), input: .relation(name("books")), mediaType: .other("text/x-titles"))
        ],
        timezones: ["UTC", "Europe/Lisbon"])

    private static func name(_ name: String) -> QualifiedName { QualifiedName("test", name) }

    private static func table(
        _ title: String, _ oid: UInt32, _ columns: [Column], key: [String] = ["id"],
        kind: Relation.Kind = .table
    ) -> Relation {
        Relation(name: name(title), oid: oid, kind: kind, columns: columns, primaryKey: key)
    }

    private static func column(_ name: String, _ type: String) -> Column {
        Column(name: name, type: type, defaultExpression: name == "id" ? "0" : nil)
    }

    private static let relations = [
        table(
            "books", 1,
            [
                column("id", "integer"), column("title", "text"), column("data", "jsonb"),
                column("tags", "text[]"), column("words", "tsvector"), column("author_id", "integer"),
                Column(
                    name: "tone", type: "color", baseType: "integer", nominalType: "color",
                    defaultExpression: "0"),
            ]),
        table("authors", 2, [column("id", "integer"), column("name", "text"), column("mentor", "integer")]),
        table("labels", 3, [column("id", "integer"), column("it's \"odd\"; --", "text")]),
        table(
            "books_labels", 4, [column("book_id", "integer"), column("label_id", "integer")],
            key: ["book_id", "label_id"]),
        table("shelf", 5, [column("id", "integer"), column("title", "text")], key: [], kind: .view),
    ]

    private static let functions = [
        Function(
            name: name("add"),
            parameters: [
                .init(name: "a", type: "integer"), .init(name: "b", type: "integer", isRequired: false),
            ],
            result: integer, volatility: .immutable),
        Function(
            name: name("total"), parameters: [.init(name: "n", type: "integer[]", isVariadic: true)],
            result: integer, volatility: .immutable, hasVariadic: true),
        Function(
            name: name("find"), parameters: [.init(name: "wanted", type: "text")],
            result: .init(type: name("books"), isSet: true, isComposite: true), volatility: .stable),
        Function(
            name: name("echo"), parameters: [.init(name: "", type: "json")], result: integer,
            volatility: .volatile),
        Function(name: name("plain"), parameters: [], result: integer, volatility: .volatile),
    ]

    private static let integer = Function.Result(
        type: QualifiedName("pg_catalog", "int4"), isSet: false, isComposite: false)

    private static let representations: [Catalog.Conversion: Catalog.Representation] = {
        var all: [Catalog.Conversion: Catalog.Representation] = [:]
        for (source, target, function) in [
            ("color", "json", "color_to_json"), ("text", "color", "color_from_text"),
            ("json", "color", "color_from_json"),
        ] {
            all[.init(source, target)] = .init(sourceType: source, targetType: target, function: function)
        }
        return all
    }()

    private static let relationships: [QualifiedName: [Relationship]] = {
        var all: [QualifiedName: [Relationship]] = [:]
        func add(_ source: String, _ target: String, _ cardinality: Relationship.Cardinality) {
            all[name(source), default: []].append(
                Relationship(source: name(source), target: name(target), cardinality: cardinality))
        }
        func key(_ constraint: String, _ source: String, _ column: String, _ target: String) {
            add(source, target, .manyToOne(constraint: constraint, columns: [.init(column, "id")]))
            add(target, source, .oneToMany(constraint: constraint, columns: [.init("id", column)]))
        }
        func junction(_ source: String, _ sourceColumn: String, _ target: String, _ targetColumn: String) {
            add(
                source, target,
                .manyToMany(
                    .init(
                        table: name("books_labels"), sourceConstraint: source, targetConstraint: target,
                        sourceColumns: [.init("id", sourceColumn)], targetColumns: [.init("id", targetColumn)]
                    )))
        }
        key("written", "books", "author_id", "authors")
        key("mentored", "authors", "mentor", "authors")
        junction("books", "book_id", "labels", "label_id")
        junction("labels", "label_id", "books", "book_id")
        add("books", "authors", .computed(function: name("reader"), returnsOne: true))
        add("books", "labels", .computed(function: name("hints"), returnsOne: false))
        return all
    }()
}

package import ApusCatalog
package import ApusJSON

/// The dialect's own document at the root: OpenAPI 2.0, as its clients and tools read it.
package struct Swagger {
    private let api: VisibleAPI
    private let address: PublicAddress
    private let declaresSecurity: Bool

    package init(_ api: VisibleAPI, address: PublicAddress, declaresSecurity: Bool) {
        self.api = api
        self.address = address
        self.declaresSecurity = declaresSecurity
    }

    private static let jsonTypes = [
        "application/json", "application/vnd.pgrst.object+json;nulls=stripped",
        "application/vnd.pgrst.object+json",
    ]

    package func document() -> JSONValue {
        var document: JSONObject = [
            "swagger": .string("2.0"),
            "info": .object([
                "title": .string(api.title ?? "Apus API"),
                "description": .string(
                    api.description ?? "This API is made from the database's schema by Apus."),
                "version": .string("1"),
            ]),
            "host": .string("\(address.shownHost):\(address.port)"),
            "basePath": .string(address.path),
            "schemes": .strings([address.scheme]),
            "consumes": .strings(Self.jsonTypes + ["text/csv"]),
            "produces": .strings(Self.jsonTypes + ["text/csv"]),
            "paths": .object(paths),
            "definitions": .object(definitions),
            "parameters": .object(parameters),
            "externalDocs": .object([
                "description": .string("The dialect's documentation"),
                "url": .string("https://postgrest.org/en/stable/references/api.html"),
            ]),
        ]
        if declaresSecurity {
            document["securityDefinitions"] = .object([
                "JWT": .object([
                    "type": .string("apiKey"), "in": .string("header"), "name": .string("Authorization"),
                    "description": .string("Add the token prepending \"Bearer \" (without quotes) to it"),
                ])
            ])
            document["security"] = .array([.object(["JWT": .array([])])])
        }
        return .object(document)
    }

    // MARK: - Paths

    private var paths: JSONObject {
        var paths: JSONObject = ["/": .object(["get": .object(rootOperation)])]
        for relation in api.relations { paths["/" + relation.name.name] = .object(pathItem(relation)) }
        for function in api.functions { paths["/rpc/" + function.name.name] = .object(pathItem(function)) }
        return paths
    }

    private var rootOperation: JSONObject {
        [
            "tags": .strings(["Introspection"]),
            "summary": .string("OpenAPI description (this document)"),
            "produces": .strings(["application/openapi+json", "application/json"]),
            "responses": .object(["200": Self.response("OK")]),
        ]
    }

    private func pathItem(_ relation: Relation) -> JSONObject {
        let name = relation.name.name
        let filters = relation.columns.map { "rowFilter.\(name).\($0.name)" }
        let rows: JSONValue = .object([
            "description": .string("OK"),
            "schema": .object([
                "type": .string("array"),
                "items": .object(["$ref": .string("#/definitions/" + name)]),
            ]),
        ])
        let reads = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"]
        var item: JSONObject = [
            "get": operation(
                relation, filters + reads, ["200": rows, "206": Self.response("Partial Content")])
        ]
        guard relation.isInsertable || relation.isUpdatable || relation.isDeletable else { return item }
        item["post"] = operation(
            relation, ["body." + name, "select", "preferPost"], ["201": Self.response("Created")])
        item["patch"] = operation(
            relation, filters + ["body." + name, "preferReturn"], ["204": Self.response("No Content")])
        item["delete"] = operation(
            relation, filters + ["preferReturn"], ["204": Self.response("No Content")])
        return item
    }

    private func operation(
        _ relation: Relation, _ references: [String], _ responses: JSONObject
    ) -> JSONValue {
        let (summary, description) = VisibleAPI.headline(relation.comment)
        var operation: JSONObject = ["tags": .strings([relation.name.name])]
        operation["summary"] = summary.map { .string($0) }
        operation["description"] = description.map { .string($0) }
        operation["parameters"] = .array(references.map { Self.parameterReference($0) })
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    private func pathItem(_ function: Function) -> JSONObject {
        let (summary, description) = VisibleAPI.headline(function.comment)
        var operation: JSONObject = ["tags": .strings(["(rpc) " + function.name.name])]
        operation["summary"] = summary.map { .string($0) }
        operation["description"] = description.map { .string($0) }
        operation["produces"] = .strings(Self.jsonTypes)
        operation["responses"] = .object(["200": Self.response("OK")])
        var post = operation
        post["parameters"] = .array([
            .object([
                "name": .string("args"), "in": .string("body"), "required": .bool(true),
                "schema": .object(arguments(function)),
            ]), Self.parameterReference("preferParams"),
        ])
        guard function.volatility != .volatile else { return ["post": .object(post)] }
        var get = operation
        get["parameters"] = .array(function.parameters.map { .object(queryParameter($0)) })
        return ["get": .object(get), "post": .object(post)]
    }

    private func arguments(_ function: Function) -> JSONObject {
        var properties = JSONObject()
        for parameter in function.parameters {
            var property = JSONObject()
            property["format"] = .string(SchemaType.format(api.shown(parameter.type)))
            property["type"] = SchemaType(parameter.type).map { .string($0.rawValue) }
            property["items"] = items(parameter.type)
            properties[parameter.name] = .object(property)
        }
        var schema: JSONObject = ["type": .string("object")]
        let required = function.parameters.filter(\.isRequired).map(\.name)
        if !required.isEmpty { schema["required"] = .strings(required) }
        schema["description"] = function.comment.map { .string($0) }
        schema["properties"] = .object(properties)
        return schema
    }

    private func queryParameter(_ parameter: Function.Parameter) -> JSONObject {
        var object: JSONObject = [
            "name": .string(parameter.name), "in": .string("query"), "required": .bool(parameter.isRequired),
        ]
        if parameter.isVariadic {
            let item = SchemaType.item(parameter.type)
            var items: JSONObject = ["format": .string(SchemaType.format(api.shown(item)))]
            items["type"] = SchemaType(item).map { .string($0.rawValue) }
            object["type"] = .string("array")
            object["collectionFormat"] = .string("multi")
            object["items"] = .object(items)
        } else {
            let kind = SchemaType(parameter.type) ?? .string
            object["type"] = .string(kind == .array ? "string" : kind.rawValue)
            object["format"] = .string(SchemaType.format(api.shown(parameter.type)))
        }
        return object
    }

    // MARK: - Definitions

    private var definitions: JSONObject {
        var definitions = JSONObject()
        for relation in api.relations {
            var definition = JSONObject()
            definition["description"] = relation.comment.map { .string($0) }
            let required = relation.columns.filter { !$0.isNullable }.map(\.name)
            if !required.isEmpty { definition["required"] = .strings(required) }
            var properties = JSONObject()
            for column in relation.columns {
                properties[column.name] = .object(property(column, in: relation))
            }
            definition["properties"] = .object(properties)
            definition["type"] = .string("object")
            definitions[relation.name.name] = .object(definition)
        }
        return definitions
    }

    private func property(_ column: Column, in relation: Relation) -> JSONObject {
        var property = JSONObject()
        property["default"] = column.defaultExpression.flatMap {
            SchemaType.defaultValue($0, type: column.baseType)
        }
        property["description"] = api.note(for: column, in: relation).map { .string($0) }
        if !column.enumLabels.isEmpty { property["enum"] = .strings(column.enumLabels) }
        property["format"] = .string(SchemaType.format(api.shown(column.baseType)))
        property["items"] = items(column.baseType)
        property["maxLength"] = column.maxLength.map { .int($0) }
        property["type"] = SchemaType(column.baseType).map { .string($0.rawValue) }
        return property
    }

    private func items(_ type: String) -> JSONValue? {
        guard SchemaType(type) == .array else { return nil }
        var items = JSONObject()
        items["type"] = SchemaType(SchemaType.item(type)).map { .string($0.rawValue) }
        return .object(items)
    }

    // MARK: - Parameters

    private var parameters: JSONObject {
        var parameters: JSONObject = [
            "preferParams": Self.prefer(nil),
            "preferReturn": Self.prefer(["return=representation", "return=minimal", "return=none"]),
            "preferCount": Self.prefer(["count=none"]),
            "preferPost": Self.prefer([
                "return=representation", "return=minimal", "return=none", "resolution=ignore-duplicates",
                "resolution=merge-duplicates",
            ]),
            "select": Self.parameter("select", "Filtering Columns"),
            "on_conflict": Self.parameter("on_conflict", "On Conflict"),
            "order": Self.parameter("order", "Ordering"),
            "range": Self.parameter("Range", "Limiting and Pagination", in: "header"),
            "rangeUnit": Self.parameter(
                "Range-Unit", "Limiting and Pagination", in: "header", default: "items"),
            "offset": Self.parameter("offset", "Limiting and Pagination"),
            "limit": Self.parameter("limit", "Limiting and Pagination"),
        ]
        for relation in api.relations {
            let name = relation.name.name
            parameters["body." + name] = .object([
                "name": .string(name), "description": .string(name), "required": .bool(false),
                "in": .string("body"),
                "schema": .object(["$ref": .string("#/definitions/" + name)]),
            ])
            for column in relation.columns {
                parameters["rowFilter.\(name).\(column.name)"] = Self.parameter(column.name, column.comment)
            }
        }
        return parameters
    }

    private static func parameter(
        _ name: String, _ description: String?, in place: String = "query", default value: String? = nil
    ) -> JSONValue {
        var object: JSONObject = ["name": .string(name)]
        object["description"] = description.map { .string($0) }
        object["required"] = .bool(false)
        object["in"] = .string(place)
        object["type"] = .string("string")
        object["default"] = value.map { .string($0) }
        return .object(object)
    }

    private static func prefer(_ values: [String]?) -> JSONValue {
        guard case .object(var object) = parameter("Prefer", "Preference", in: "header") else { return .null }
        object["enum"] = values.map { .strings($0) }
        return .object(object)
    }

    private static func parameterReference(_ name: String) -> JSONValue {
        .object(["$ref": .string("#/parameters/" + name)])
    }

    private static func response(_ description: String) -> JSONValue {
        .object(["description": .string(description)])
    }
}

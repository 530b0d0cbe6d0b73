package import ApusCatalog
package import ApusJSON

/// An OpenAPI 3.1 document of the data API: https://spec.openapis.org/oas/v3.1.1.html
package struct OpenAPI {
    private let api: VisibleAPI
    private let address: PublicAddress
    private let pathPrefix: String
    private let version: String

    /// - Parameter pathPrefix: what stands before the dialect's paths, `/rest/v1`.
    package init(_ api: VisibleAPI, address: PublicAddress, pathPrefix: String, version: String) {
        self.api = api
        self.address = address
        self.pathPrefix = pathPrefix
        self.version = version
    }

    package func document() -> JSONValue {
        var info: JSONObject = ["title": .string(api.title ?? "Apus API")]
        info["description"] = .string(
            api.description ?? "The tables, views and functions of the schema '\(api.schema)'.")
        info["version"] = .string(version)
        return .object([
            "openapi": .string("3.1.0"),
            "info": .object(info),
            "servers": .array([.object(["url": .string(address.url + pathPrefix)])]),
            "security": .array([
                .object(JSONObject()), .object(["bearer": .array([])]), .object(["apikey": .array([])]),
            ]),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object(schemas),
                "parameters": .object(Self.parameters),
                "responses": .object(["Error": .object(Self.errorResponse)]),
                "securitySchemes": .object([
                    "bearer": .object([
                        "type": .string("http"), "scheme": .string("bearer"), "bearerFormat": .string("JWT"),
                    ]),
                    "apikey": .object([
                        "type": .string("apiKey"), "in": .string("header"), "name": .string("apikey"),
                    ]),
                ]),
            ]),
        ])
    }

    // MARK: - Paths

    private var paths: JSONObject {
        var paths = JSONObject()
        for relation in api.relations {
            paths["/" + Self.pathSegment(relation.name.name)] = .object(pathItem(relation))
        }
        for function in api.functions where function.parameters.allSatisfy({ !$0.name.isEmpty }) {
            let path = "/rpc/" + Self.pathSegment(function.name.name)
            // Overloads share a path; the document describes the one with the fewest parameters.
            if paths[path] == nil { paths[path] = .object(pathItem(function)) }
        }
        return paths
    }

    private func pathItem(_ relation: Relation) -> JSONObject {
        let name = relation.name.name
        let filters = relation.columns.filter { !Self.reserved.contains($0.name) }.map(filter)
        let reading = ["select", "order", "limit", "offset", "preferCount"].map(Self.reference)
        let rows = Self.rowsResponse(component(name))
        var item: JSONObject = [
            "get": operation(
                "read_" + name, relation.comment, name, parameters: filters + reading,
                responses: ["200": rows, "206": rows])
        ]
        if relation.isInsertable {
            item["post"] = operation(
                "insert_" + name, relation.comment, name,
                parameters: ["select", "columns", "onConflict", "preferWrite"].map(Self.reference),
                body: Self.rowsBody(component(name)),
                responses: ["200": rows, "201": Self.writtenResponse(component(name))])
        }
        if relation.isUpdatable {
            item["patch"] = operation(
                "update_" + name, relation.comment, name,
                parameters: filters + ["select", "columns", "preferWrite"].map(Self.reference),
                body: Self.rowBody(component(name)), responses: ["200": rows, "204": Self.empty("Updated.")])
        }
        if relation.isDeletable {
            item["delete"] = operation(
                "delete_" + name, relation.comment, name,
                parameters: filters + ["select", "preferWrite"].map(Self.reference),
                responses: ["200": rows, "204": Self.empty("Deleted.")])
        }
        return item
    }

    private func pathItem(_ function: Function) -> JSONObject {
        let name = function.name.name
        let result: JSONValue = .object([
            "description": .string("What the function returns."),
            "content": .object(["application/json": .object(["schema": .object(JSONObject())])]),
        ])
        let responses: JSONObject = ["200": result, "204": Self.empty("The function returns nothing.")]
        var item: JSONObject = [
            "post": operation(
                "call_" + name, function.comment, "(rpc) " + name, body: arguments(function),
                responses: responses)
        ]
        if function.volatility != .volatile {
            item["get"] = operation(
                "get_" + name, function.comment, "(rpc) " + name,
                parameters: function.parameters.map(queryParameter), responses: responses)
        }
        return item
    }

    private func operation(
        _ id: String, _ comment: String?, _ tag: String, parameters: [JSONValue] = [],
        body: JSONValue? = nil, responses: JSONObject
    ) -> JSONValue {
        let (summary, description) = VisibleAPI.headline(comment)
        var operation: JSONObject = ["operationId": .string(id), "tags": .strings([tag])]
        operation["summary"] = summary.map { .string($0) }
        operation["description"] = description.map { .string($0) }
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        operation["requestBody"] = body
        var responses = responses
        responses["default"] = .object(["$ref": .string("#/components/responses/Error")])
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    // MARK: - Parameters

    /// Columns whose names mean something else in a query string cannot be filtered by name.
    private static let reserved: Set<String> = [
        "select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not.and", "not.or",
    ]

    private func filter(_ column: Column) -> JSONValue {
        var object: JSONObject = ["name": .string(column.name), "in": .string("query")]
        object["description"] = .string(column.comment ?? "A filter, for instance `eq.` and a value.")
        object["schema"] = .object(["type": .string("string")])
        return .object(object)
    }

    private func queryParameter(_ parameter: Function.Parameter) -> JSONValue {
        let isArray = parameter.type.hasSuffix("[]")
        var schema = ColumnSchema.schema(type: parameter.type, isNullable: false)
        if isArray, !parameter.isVariadic { schema = ["type": .string("string")] }
        if parameter.isVariadic {
            schema = ["type": .string("array"), "items": .object(["type": .string("string")])]
        }
        return .object([
            "name": .string(parameter.name), "in": .string("query"), "required": .bool(parameter.isRequired),
            "schema": .object(schema),
        ])
    }

    private func arguments(_ function: Function) -> JSONValue {
        var properties = JSONObject()
        for parameter in function.parameters {
            properties[parameter.name] = .object(ColumnSchema.schema(type: parameter.type, isNullable: true))
        }
        var schema: JSONObject = ["type": .string("object"), "properties": .object(properties)]
        let required = function.parameters.filter(\.isRequired).map(\.name)
        if !required.isEmpty { schema["required"] = .strings(required) }
        return .object([
            "required": .bool(!required.isEmpty),
            "content": .object(["application/json": .object(["schema": .object(schema)])]),
        ])
    }

    private static func reference(_ parameter: String) -> JSONValue {
        .object(["$ref": .string("#/components/parameters/" + parameter)])
    }

    private static let parameters: JSONObject = {
        func query(_ name: String, _ description: String, _ schema: JSONObject) -> JSONValue {
            .object([
                "name": .string(name), "in": .string("query"), "description": .string(description),
                "schema": .object(schema),
            ])
        }
        func header(_ description: String) -> JSONValue {
            .object([
                "name": .string("Prefer"), "in": .string("header"), "description": .string(description),
                "schema": .object(["type": .string("string")]),
            ])
        }
        let text: JSONObject = ["type": .string("string")]
        let count: JSONObject = ["type": .string("integer"), "minimum": .int(0)]
        return [
            "select": query("select", "Columns and embedded relations, `id,name,children(*)`.", text),
            "order": query("order", "Columns to sort by, `created_at.desc,id`.", text),
            "limit": query("limit", "Most rows to return.", count),
            "offset": query("offset", "Rows to skip.", count),
            "columns": query("columns", "Columns to take from the body.", text),
            "onConflict": query("on_conflict", "Columns that decide what a duplicate is.", text),
            "preferCount": header("`count=exact`, `count=planned` or `count=estimated`."),
            "preferWrite": header("`return=representation`, `resolution=merge-duplicates` and others."),
        ]
    }()

    // MARK: - Schemas and bodies

    private var schemas: JSONObject {
        var schemas: JSONObject = ["Error": .object(Self.errorSchema)]
        for relation in api.relations {
            var properties = JSONObject()
            for column in relation.columns {
                var schema = ColumnSchema.schema(
                    type: column.baseType, enumLabels: column.enumLabels, isNullable: true)
                schema["description"] = api.note(for: column, in: relation).map { .string($0) }
                properties[column.name] = .object(schema)
            }
            var schema: JSONObject = ["type": .string("object"), "properties": .object(properties)]
            schema["description"] = relation.comment.map { .string($0) }
            schemas[Self.componentName(relation.name.name)] = .object(schema)
        }
        return schemas
    }

    private func component(_ relation: String) -> JSONValue {
        .object(["$ref": .string("#/components/schemas/" + Self.componentName(relation))])
    }

    private static func rowsResponse(_ row: JSONValue) -> JSONValue {
        .object([
            "description": .string("Rows."),
            "headers": .object([
                "Content-Range": .object([
                    "description": .string("First and last row, and how many there are."),
                    "schema": .object(["type": .string("string")]),
                ])
            ]),
            "content": .object([
                "application/json": .object([
                    "schema": .object(["type": .string("array"), "items": row])
                ])
            ]),
        ])
    }

    /// Without `Prefer: return=representation` there is no body.
    private static func writtenResponse(_ row: JSONValue) -> JSONValue {
        .object(["description": .string("Inserted. The rows come back when they are asked for.")])
    }

    private static func rowsBody(_ row: JSONValue) -> JSONValue {
        .object([
            "required": .bool(true),
            "content": .object([
                "application/json": .object([
                    "schema": .object([
                        "oneOf": .array([row, .object(["type": .string("array"), "items": row])])
                    ])
                ])
            ]),
        ])
    }

    private static func rowBody(_ row: JSONValue) -> JSONValue {
        .object([
            "required": .bool(true),
            "content": .object(["application/json": .object(["schema": row])]),
        ])
    }

    private static func empty(_ description: String) -> JSONValue {
        .object(["description": .string(description)])
    }

    private static let errorSchema: JSONObject = [
        "type": .string("object"),
        "required": .strings(["code", "message"]),
        "properties": .object([
            "code": .object(["type": .string("string")]),
            "message": .object(["type": .string("string")]),
            "details": .object(JSONObject()),
            "hint": .object(["type": .strings(["string", "null"])]),
        ]),
    ]

    private static let errorResponse: JSONObject = [
        "description": .string("What went wrong, and how to mend it."),
        "content": .object([
            "application/json": .object(["schema": .object(["$ref": .string("#/components/schemas/Error")])])
        ]),
    ]

    // MARK: - Names

    /// Names of components may only hold `A-Za-z0-9._-`; other characters become their code point.
    private static func componentName(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || "0123456789._".unicodeScalars.contains(scalar))
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                result += "-\(String(scalar.value, radix: 16))-"
            }
        }
        return result
    }

    /// A path segment, percent-encoded, so that braces in a name do not look like a template.
    private static func pathSegment(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            let isPlain =
                (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
                || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
                || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || "-_.~".utf8.contains(byte)
            if isPlain {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

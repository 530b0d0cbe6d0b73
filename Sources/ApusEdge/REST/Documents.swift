import ApusCatalog
import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusJSON
import ApusOpenAPI
import ApusPlanner
import ApusREST
import Crypto
import NIOHTTP1

/// The documents about the API: Swagger 2.0 at the root, OpenAPI 3.1 at `openapi.json`.
extension RESTEndpoint {
    /// Answers with a document that shows what the caller may use.
    ///
    /// - Throws: what is wrong with the request; what the database says goes into the answer.
    func document(
        _ document: ReadRequest.Document, _ request: DataRequest, _ call: RESTCall
    ) throws(Fault) {
        call.label =
            document.format == .swagger ? "document \(document.schema)" : "openapi \(document.schema)"
        if document.format == .swagger { try negotiate(document) }
        let catalog = try data.currentCatalog()
        call.timing.begin()
        let task = Task { [self] in
            do throws(Fault) {
                let visible = try await visibleNames(document.schema, request)
                call.timing.end(.transaction)
                call.timing.begin()
                let response = response(document, visible, catalog, call)
                call.exchange.respond(making: { self.complete(response, call) })
            } catch {
                call.exchange.respond(making: {
                    self.complete(
                        FaultResponse.make(error, isVerbose: self.settings.showsDetails), call, error)
                })
            }
        }
        call.exchange.onAbandon { task.cancel() }
    }

    // MARK: - Non public

    /// The dialect's root refuses what it cannot give; a file named `.json` is always JSON.
    private func negotiate(_ document: ReadRequest.Document) throws(Fault) {
        do {
            _ = try descriptions.planner.negotiateDescription(accept: document.accept)
        } catch {
            throw error.fault
        }
    }

    /// nil: everything is shown.
    private func visibleNames(_ schema: String, _ request: DataRequest) async throws(Fault) -> VisibleNames? {
        guard descriptions.mode == .followPrivileges else { return nil }
        return try await data.visibleNames(in: schema, for: request)
    }

    private func response(
        _ document: ReadRequest.Document, _ visible: VisibleNames?, _ catalog: Catalog, _ call: RESTCall
    ) -> RESTResponse {
        let body = descriptions.documents.document(
            .init(format: document.format, schema: document.schema, visible: visible),
            catalogVersion: catalog.version
        ) {
            let api = visibleAPI(document.schema, visible, catalog)
            return switch document.format {
            case .swagger:
                Swagger(
                    api, address: descriptions.address, declaresSecurity: descriptions.declaresSecurity
                ).document().bytes
            case .openAPI:
                OpenAPI(
                    api, address: descriptions.address, pathPrefix: settings.prefix,
                    version: descriptions.version
                ).document().bytes
            }
        }
        var fields: [HeaderField] = []
        let type = document.format == .swagger ? MediaType.openAPI.contentType : MediaType.json.contentType
        fields.append(.init("Content-Type", type))
        if document.schemaWasNegotiated { fields.append(.init("Content-Profile", document.schema)) }
        guard document.format == .openAPI else {
            fields.append(.init("Vary", "Accept, Prefer, Range"))
            return RESTResponse(
                status: 200, fields: fields, body: .bytes(document.wantsBody ? body : []),
                hasBody: document.wantsBody)
        }
        let tag = Self.entityTag(body)
        fields.append(.init("ETag", tag))
        fields.append(.init("Cache-Control", "no-cache"))
        fields.append(.init("Vary", "Authorization, apikey, Accept-Profile"))
        let known = call.exchange.request.headers[canonicalForm: "if-none-match"]
        if known.contains(where: { $0 == tag || $0 == "*" || $0.dropFirst(2) == tag }) {
            return RESTResponse(status: 304, fields: fields, body: .none, hasBody: false)
        }
        return RESTResponse(
            status: 200, fields: fields, body: .bytes(document.wantsBody ? body : []),
            hasBody: document.wantsBody)
    }

    /// RFC 9110 §8.8.3
    private static func entityTag(_ body: [UInt8]) -> String {
        "\""
            + SHA256.hash(data: body).prefix(12).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            .joined() + "\""
    }

    /// The part of the catalog that a document for this caller shows.
    private func visibleAPI(_ schema: String, _ visible: VisibleNames?, _ catalog: Catalog) -> VisibleAPI {
        var relations = catalog.relations.values.filter { $0.name.schema == schema }
        var functions = catalog.functions.filter { $0.key.schema == schema }.flatMap(\.value)
        if let visible {
            relations = relations.filter { visible.relations.contains($0.oid) }
            functions = functions.filter { visible.functions.contains($0.oid) }
        }
        return VisibleAPI(
            schema: schema, comment: catalog.schemas[schema] ?? nil, relations: relations,
            functions: functions, relationships: catalog.relationships)
    }
}

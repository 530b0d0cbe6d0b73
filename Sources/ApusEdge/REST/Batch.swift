import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusJSON
import ApusPostgres
import ApusREST
import NIOHTTP1

/// `POST $batch`: several requests in one transaction.
extension RESTEndpoint {
    /// Reads a batch and carries it out.
    ///
    /// - Throws: what is wrong with the batch as a whole.
    func batch(
        _ request: RESTRequest, _ principal: Principal, _ isAnonymous: Bool, _ call: RESTCall
    ) throws(Fault) {
        guard request.method == "POST" else {
            throw Fault(
                code: "PGRST117", kind: .methodNotAllowed,
                message: "Unsupported HTTP method: \(request.method)",
                hint: "A batch is sent by POST.")
        }
        call.label = "batch"
        let batch = try BatchRequest(request.body, limit: settings.batchLimit)
        let task = Task { [self] in
            do throws(Fault) {
                let results = try await run(batch, principal, isAnonymous, call)
                let response = RESTResponse(
                    status: 200, fields: [.init("Content-Type", "application/json; charset=utf-8")],
                    body: .bytes(results.document.bytes))
                call.exchange.respond(making: { self.complete(response, call) })
            } catch {
                call.exchange.respond(making: { self.complete(self.refusal(error), call, error) })
            }
        }
        call.exchange.onAbandon { task.cancel() }
    }

    // MARK: - Non public

    private func run(
        _ batch: BatchRequest, _ principal: Principal, _ isAnonymous: Bool, _ call: RESTCall
    ) async throws(Fault) -> BatchResults {
        try await data.inTransaction(isAnonymous: isAnonymous) { transaction throws(Fault) in
            var results = BatchResults()
            for part in batch.parts {
                do throws(Fault) {
                    try await self.run(part, principal, isAnonymous, call, transaction, &results)
                } catch {
                    var fault = error
                    fault.fields.append(.init(name: Self.requestField, value: Self.fieldText(part.id)))
                    throw fault
                }
            }
            return results
        }
    }

    private func run(
        _ part: BatchRequest.Part, _ principal: Principal, _ isAnonymous: Bool, _ call: RESTCall,
        _ transaction: DataTransaction, _ results: inout BatchResults
    ) async throws(Fault) {
        let target = try results.resolve(path: part.path)
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        let query = mark < target.endIndex ? Array(target[target.index(after: mark)...].utf8) : []
        var body: [UInt8] = []
        if let value = part.body { body = try results.resolve(body: value).bytes }
        let request = RESTRequest(
            method: part.method, path: try PathSegments.read(target[..<mark], below: ""), query: query,
            fields: RESTRequest.Fields(part.headers), body: body)
        let read = try reader.read(request)
        guard case .data(let intent) = read.ask else {
            throw Fault(
                code: "APUS450", kind: .invalid, message: "This is no batch of requests.",
                details: "Request '\(part.id)' asks for no data.")
        }
        let compiled = try data.prepare(intent, key: nil)
        let answer = try await transaction.answer(
            compiled,
            DataRequest(
                principal: principal, isAnonymous: isAnonymous,
                values: RequestValues(arena: read.shape.values.arena, ranges: read.shape.values.ranges),
                body: read.shape.body,
                context: call))
        let canonical = String(decoding: ApusREST.canonicalQuery(of: query), as: UTF8.self)
        let response = try AnswerResponse(answer, canonicalQuery: canonical).make()
        results.add(
            id: part.id, status: response.status, fields: response.fields, body: Self.bytes(of: response.body)
        )
    }

    /// The fault as the dialect has it, with the request that it belongs to as a further member.
    private func refusal(_ fault: Fault) -> RESTResponse {
        var response = FaultResponse.make(fault, isVerbose: settings.showsDetails)
        guard let id = fault.fields.first(where: { $0.name == Self.requestField })?.value,
            case .bytes(let body) = response.body, body.last == UInt8(ascii: "}")
        else { return response }
        var extended = Array(body.dropLast())
        extended += Array(",\"request\":".utf8)
        appendJSONString(id, to: &extended)
        extended.append(UInt8(ascii: "}"))
        response.body = .bytes(extended)
        return response
    }

    private static let requestField = "Apus-Batch-Request"

    /// An id as it may stand in a header field.
    private static func fieldText(_ id: String) -> String {
        String(id.unicodeScalars.filter { $0.value > 0x20 && $0.value < 0x7F }.map(Character.init))
    }

    static func bytes(of body: Answer.Body) -> [UInt8] {
        switch body {
        case .none: []
        case .bytes(let bytes): bytes
        case .cell(let rows, let row, let column): rows.withBytes(row, column) { $0.map { Array($0) } ?? [] }
        }
    }
}

import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusJSON
import ApusPlanner
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
        let transaction = reader.transactionPreference(of: request)
        let rollsBack = transaction.map { $0 == .rollback } ?? data.rollsBackTransactions
        let caller = Caller(principal: principal, isAnonymous: isAnonymous, rollsBack: rollsBack)
        // What is undone is not done twice.
        let key =
            rollsBack
            ? nil : try idempotencyKey(of: call.exchange.request, principal.claims, role: principal.role)
        let progress = BatchProgress()
        let task = Task { [self] in
            do throws(Fault) {
                var response = try await answer(batch, caller, key, call, progress)
                if let transaction {
                    response.fields.append(.init("Preference-Applied", "tx=" + transaction.rawValue))
                }
                let position = await self.position(afterWriteOf: principal)
                call.exchange.respond(making: { [response] in
                    call.work = progress.slowest
                    call.position = position
                    return self.complete(response, call)
                })
            } catch {
                call.exchange.respond(making: {
                    call.work = progress.slowest
                    return self.complete(self.refusal(error, of: progress.failed), call, error)
                })
            }
        }
        call.exchange.onAbandon { task.cancel() }
    }

    // MARK: - Non public

    /// Who sends all requests of a batch.
    private struct Caller: Sendable {
        var principal: Principal
        var isAnonymous: Bool
        /// Whether nothing of it is to last.
        var rollsBack: Bool
    }

    private func answer(
        _ batch: BatchRequest, _ caller: Caller, _ key: IdempotencyKey?, _ call: RESTCall,
        _ progress: BatchProgress
    ) async throws(Fault) -> RESTResponse {
        let fields = [HeaderField("Content-Type", "application/json; charset=utf-8")]
        guard let key else {
            let results = try await data.inTransaction(
                isAnonymous: caller.isAnonymous, rollsBack: caller.rollsBack
            ) {
                transaction throws(Fault) in try await self.run(batch, caller, call, transaction, progress)
            }
            return RESTResponse(status: 200, fields: fields, body: .bytes(results.document.bytes))
        }
        let stored = try await data.once(key, isAnonymous: caller.isAnonymous) {
            transaction throws(Fault) in
            let results = try await self.run(batch, caller, call, transaction, progress)
            return StoredAnswer(
                status: 200, fields: fields.map { ($0.name, $0.value) }, body: results.document.bytes)
        }
        return Self.response(stored)
    }

    private func run(
        _ batch: BatchRequest, _ caller: Caller, _ call: RESTCall, _ transaction: DataTransaction,
        _ progress: BatchProgress
    ) async throws(Fault) -> BatchResults {
        var results = BatchResults(limit: settings.batchBytes)
        for part in batch.parts {
            do throws(Fault) {
                try await run(part, caller, call, transaction, progress, &results)
            } catch {
                progress.failed(at: part.id)
                throw error
            }
        }
        return results
    }

    private func run(
        _ part: BatchRequest.Part, _ caller: Caller, _ call: RESTCall, _ transaction: DataTransaction,
        _ progress: BatchProgress, _ results: inout BatchResults
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
        guard intent.preferences.transaction == nil else {
            throw Fault(
                code: "APUS450", kind: .invalid, message: "This is no batch of requests.",
                details: "Request '\(part.id)': Prefer: tx belongs to the batch as a whole.")
        }
        let compiled = try data.prepare(intent, key: nil)
        let dataRequest = DataRequest(
            principal: caller.principal, isAnonymous: caller.isAnonymous,
            values: RequestValues(arena: read.shape.values.arena, ranges: read.shape.values.ranges),
            body: read.shape.body, context: BatchPartContext(part, target: target, in: call))
        let began = ContinuousClock.now
        defer { progress.took(ContinuousClock.now - began, RESTCall.Work(compiled, dataRequest)) }
        let answer = try await transaction.answer(compiled, dataRequest)
        let canonical = String(decoding: ApusREST.canonicalQuery(of: query), as: UTF8.self)
        let response = try AnswerResponse(answer, canonicalQuery: canonical).make()
        try results.add(
            id: part.id, status: response.status, fields: response.fields, body: Self.bytes(of: response.body)
        )
    }

    /// The fault as the dialect has it, with the request that it belongs to as a field and as a further member.
    private func refusal(_ fault: Fault, of id: String?) -> RESTResponse {
        var response = FaultResponse.make(fault, isVerbose: settings.showsDetails)
        guard let id, case .bytes(let body) = response.body, body.last == UInt8(ascii: "}") else {
            return response
        }
        response.fields.append(.init("Apus-Batch-Request", Self.fieldText(id)))
        var extended = Array(body.dropLast())
        extended += Array(",\"request\":".utf8)
        appendJSONString(id, to: &extended)
        extended.append(UInt8(ascii: "}"))
        response.body = .bytes(extended)
        return response
    }

    /// An id as it may stand in a header field: what may not is percent-encoded (RFC 3986 §2.1).
    private static func fieldText(_ id: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in id.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func bytes(of body: Answer.Body) -> [UInt8] {
        switch body {
        case .none: []
        case .bytes(let bytes): bytes
        case .cell(let rows, let row, let column): rows.withBytes(row, column) { $0.map { Array($0) } ?? [] }
        }
    }
}

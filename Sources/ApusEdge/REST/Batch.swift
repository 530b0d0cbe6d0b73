import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusJSON
import ApusPostgres
import ApusREST
import NIOHTTP1
import Synchronization

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
        let caller = Caller(principal: principal, isAnonymous: isAnonymous)
        let key =
            data.rollsBackTransactions
            ? nil
            : try idempotencyKey(of: call.exchange.request, principal.claims, role: principal.role)
        let slowest = SlowestPart()
        let task = Task { [self] in
            do throws(Fault) {
                let response = try await answer(batch, caller, key, call, slowest)
                let position = await self.position(afterWriteOf: principal)
                call.exchange.respond(making: {
                    call.work = slowest.work
                    call.position = position
                    return self.complete(response, call)
                })
            } catch {
                call.exchange.respond(making: {
                    call.work = slowest.work
                    return self.complete(self.refusal(error), call, error)
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
    }

    private func answer(
        _ batch: BatchRequest, _ caller: Caller, _ key: IdempotencyKey?, _ call: RESTCall,
        _ slowest: SlowestPart
    ) async throws(Fault) -> RESTResponse {
        let fields = [HeaderField("Content-Type", "application/json; charset=utf-8")]
        guard let key else {
            let results = try await data.inTransaction(isAnonymous: caller.isAnonymous) {
                transaction throws(Fault) in try await self.run(batch, caller, call, transaction, slowest)
            }
            return RESTResponse(status: 200, fields: fields, body: .bytes(results.document.bytes))
        }
        let stored = try await data.once(key, isAnonymous: caller.isAnonymous) {
            transaction throws(Fault) in
            let results = try await self.run(batch, caller, call, transaction, slowest)
            return StoredAnswer(
                status: 200, fields: fields.map { ($0.name, $0.value) }, body: results.document.bytes)
        }
        return Self.response(stored)
    }

    private func run(
        _ batch: BatchRequest, _ caller: Caller, _ call: RESTCall, _ transaction: DataTransaction,
        _ slowest: SlowestPart
    ) async throws(Fault) -> BatchResults {
        var results = BatchResults(limit: settings.batchBytes)
        for part in batch.parts {
            do throws(Fault) {
                try await run(part, caller, call, transaction, slowest, &results)
            } catch {
                var fault = error
                fault.fields.append(.init(name: Self.requestField, value: Self.fieldText(part.id)))
                throw fault
            }
        }
        return results
    }

    private func run(
        _ part: BatchRequest.Part, _ caller: Caller, _ call: RESTCall, _ transaction: DataTransaction,
        _ slowest: SlowestPart, _ results: inout BatchResults
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
        let dataRequest = DataRequest(
            principal: caller.principal, isAnonymous: caller.isAnonymous,
            values: RequestValues(arena: read.shape.values.arena, ranges: read.shape.values.ranges),
            body: read.shape.body, context: call)
        let began = ContinuousClock.now
        defer { slowest.note(RESTCall.Work(compiled, dataRequest), ContinuousClock.now - began) }
        let answer = try await transaction.answer(compiled, dataRequest)
        let canonical = String(decoding: ApusREST.canonicalQuery(of: query), as: UTF8.self)
        let response = try AnswerResponse(answer, canonicalQuery: canonical).make()
        try results.add(
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

/// The request of a batch that took longest, whether it succeeded or not: the log tells a slow batch by it.
private final class SlowestPart: Sendable {
    private let noted = Mutex<(work: RESTCall.Work, duration: Duration)?>(nil)

    var work: RESTCall.Work? { noted.withLock { $0?.work } }

    func note(_ work: RESTCall.Work, _ duration: Duration) {
        noted.withLock { noted in
            if duration > noted?.duration ?? .zero { noted = (work, duration) }
        }
    }
}

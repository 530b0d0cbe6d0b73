import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusJSON
import ApusREST
import Crypto
import NIOCore
import NIOHTTP1

/// `Idempotency-Key` on requests that change something (draft-ietf-httpapi-idempotency-key-header).
extension RESTEndpoint {
    /// Longest key that is kept.
    private static let longestKey = 255

    /// The key of this request; nil when it has none or changes nothing.
    ///
    /// - Throws: APUS400 for a key that is empty or too long.
    func idempotencyKey(
        of request: HTTPRequest, for compiled: CompiledRequest, _ principalClaims: [UInt8], role: String
    ) throws(Fault) -> IdempotencyKey? {
        guard !compiled.rollsBack, request.method != .GET, request.method != .HEAD else { return nil }
        return try idempotencyKey(of: request, principalClaims, role: role)
    }

    /// The same of a request that is known to change something.
    func idempotencyKey(
        of request: HTTPRequest, _ principalClaims: [UInt8], role: String
    ) throws(Fault) -> IdempotencyKey? {
        let values = request.headers["idempotency-key"]
        guard let value = values.first else { return nil }
        guard values.count == 1 else {
            throw Fault(
                code: "APUS400", kind: .invalid, message: "There is more than one Idempotency-Key.",
                hint: "Send one for every effect.")
        }
        // The draft's structured string, or the bare text that many clients send.
        var key = value[...]
        if key.count >= 2, key.first == "\"", key.last == "\"" { key = key.dropFirst().dropLast() }
        guard !key.isEmpty, key.utf8.count <= Self.longestKey else {
            throw Fault(
                code: "APUS400", kind: .invalid,
                message: "Idempotency-Key must have 1 to \(Self.longestKey) characters.",
                hint: "Send a random UUID.")
        }
        let subject = (try? JSONReader.read(principalClaims))?.object?["sub"]?.text ?? ""
        return IdempotencyKey(
            scope: role + "\n" + subject, key: String(key), fingerprint: Self.fingerprint(of: request),
            lifetime: settings.idempotencyLifetime)
    }

    /// Answers with the stored answer, or makes and stores one.
    func runOnce(
        _ compiled: CompiledRequest, _ request: DataRequest, key: IdempotencyKey, _ call: RESTCall
    ) {
        let canonical = canonicalQuery(of: call.exchange.request.query)
        let task = Task { [self] in
            do throws(Fault) {
                let stored = try await data.answerOnce(compiled, request, key: key) { answer throws(Fault) in
                    Self.stored(try AnswerResponse(answer, canonicalQuery: canonical).make())
                }
                // Also of a stored answer: its effect may be newer than what the feed has brought.
                let position = await self.position(afterWriteOf: request.principal)
                call.exchange.respond(making: {
                    call.position = position
                    return self.complete(Self.response(stored), call)
                })
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

    private static func fingerprint(of request: HTTPRequest) -> [UInt8] {
        var hash = SHA256()
        func add(_ text: String) {
            hash.update(data: Array(text.utf8))
            hash.update(data: [0])
        }
        add(request.method.rawValue)
        add(request.target)
        for name in ["content-type", "content-profile", "prefer", "accept"] {
            add(request.headers[name].joined(separator: ","))
        }
        if let body = request.body { hash.update(data: Array(body.readableBytesView)) }
        return Array(hash.finalize())
    }

    private static func stored(_ response: RESTResponse) -> StoredAnswer {
        return StoredAnswer(
            status: response.status, fields: response.fields.map { ($0.name, $0.value) },
            body: bytes(of: response.body))
    }

    static func response(_ stored: StoredAnswer) -> RESTResponse {
        var fields = stored.fields.map { HeaderField($0.name, $0.value) }
        if stored.isReplay { fields.append(.init("Idempotency-Replayed", "true")) }
        return RESTResponse(
            status: stored.status, fields: fields, body: .bytes(stored.body), hasBody: stored.status != 204)
    }
}

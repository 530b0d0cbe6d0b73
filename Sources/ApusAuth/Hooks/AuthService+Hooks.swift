import ApusJSON
import ApusOutbound
import ApusPostgres
import ApusSQL
import Logging

extension AuthService {
    /// Asks a hook. No transaction is open meanwhile: somebody else's slow code must not hold connections.
    ///
    /// - Throws: what the hook refuses with, and faults of the hook itself.
    func ask(_ hook: Hook, _ input: JSONObject) async throws -> JSONObject {
        let body = JSONValue.object(input).bytes
        guard body.count <= Hook.limit else {
            throw AuthFault(
                422, "hook_payload_over_size_limit", "The hook \(hook.name) would get more than it may")
        }
        switch hook.target {
        case .function(let function): return try await call(function, of: hook, input)
        case .receiver(let url, let sign): return try await post(body, to: url, sign, of: hook)
        }
    }

    // MARK: - Functions

    private func call(_ function: HookFunction, of hook: Hook, _ input: JSONObject) async throws -> JSONObject
    {
        let answers: [Rows]
        do throws(PostgresFault) {
            answers = try await database.run([
                "select set_config('statement_timeout', \(bind: Hook.functionPatience), true)",
                function.calling(input),
            ])
        } catch {
            logger.error(
                "a hook failed",
                metadata: ["hook": "\(hook.name)", "reason": "\(error.sqlState ?? "") \(error.message)"])
            if error.sqlState == "57014" { throw hook.timedOut(afterRetries: false) }
            throw hook.failed("its function raised an error")
        }
        return try hook.answer(answers.last?.string(0, 0).map { Array($0.utf8) })
    }

    // MARK: - Receivers

    private func post(
        _ body: [UInt8], to url: OutboundURL, _ sign: Hook.Sign, of hook: Hook
    ) async throws -> JSONObject {
        let end = ContinuousClock.now + Hook.receiverPatience
        // One id for all tries, by which a receiver knows one that it has had.
        let fields =
            [(name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json")]
            + sign("msg_" + UUIDText.random(), Int(now()), body)
        for attempt in 1...Hook.tries {
            let left = end - .now
            guard left > .zero else { break }
            var response: OutboundClient.Response?
            do throws(OutboundFailure) {
                response = try await providers.client.send(
                    .init("POST", url, fields: fields, body: body), timeout: left, limit: Hook.limit)
            } catch {
                logger.error(
                    "a hook failed", metadata: ["hook": "\(hook.name)", "reason": "\(error.reason)"])
            }
            if let response, let answer = try read(response, of: hook) { return answer }
            if attempt < Hook.tries { try await Task.sleep(for: .milliseconds(100 << attempt)) }
        }
        throw hook.timedOut(afterRetries: true)
    }

    /// nil for an answer that means: later.
    private func read(_ response: OutboundClient.Response, of hook: Hook) throws(AuthFault) -> JSONObject? {
        switch response.status {
        case 204: return [:]
        case 200, 202:
            let type = response.field("Content-Type")?.lowercased() ?? ""
            guard type.hasPrefix("application/json") else {
                throw AuthFault(
                    422, "hook_payload_invalid_content_type", "The hook \(hook.name) did not answer in JSON")
            }
            return try hook.answer(response.body)
        case 429, 503: return nil
        default: throw hook.failed("its receiver answered \(response.status)")
        }
    }
}

package import ApusJSON
package import ApusOutbound
import ApusPostgres
import ApusSQL
package import ApusTokens
package import Logging

/// Asks hooks. No transaction is open meanwhile: somebody else's slow code must not hold connections.
package struct HookCaller: Sendable {
    private let database: AuthDatabase
    private let client: OutboundClient
    private let logger: Logger
    private let now: TokenVerifier.Clock

    package init(
        database: AuthDatabase, client: OutboundClient, logger: Logger,
        clock: @escaping TokenVerifier.Clock = TokenVerifier.systemClock
    ) {
        self.database = database
        self.client = client
        self.logger = logger
        now = clock
    }

    /// What a hook answers.
    ///
    /// - Parameter id: by which a receiver knows a question that it has had.
    /// - Throws: what the hook refuses with, and faults of the hook itself.
    @discardableResult
    package func ask(
        _ hook: Hook, _ input: JSONObject, id: String = "msg_" + UUIDText.random()
    ) async throws -> JSONObject {
        let body = JSONValue.object(input).bytes
        guard body.count <= Hook.limit else {
            throw AuthFault(
                422, "hook_payload_over_size_limit", "The hook \(hook.name) would get more than it may")
        }
        switch hook.target {
        case .function(let function): return try await call(function, of: hook, input)
        case .receiver(let url, let sign): return try await post(body, id, to: url, sign, of: hook)
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
        let answer = answers.last?.string(0, 0).map { Array($0.utf8) }
        // A function that only does something may return nothing.
        if answer == nil, hook.needsNoAnswer { return [:] }
        return try hook.answer(answer)
    }

    // MARK: - Receivers

    private func post(
        _ body: [UInt8], _ id: String, to url: OutboundURL, _ sign: Hook.Sign, of hook: Hook
    ) async throws -> JSONObject {
        let end = ContinuousClock.now + Hook.receiverPatience
        let fields =
            [(name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json")]
            + sign(id, Int(now()), body)
        for attempt in 1...Hook.tries {
            let left = end - .now
            guard left > .zero else { break }
            var response: OutboundClient.Response?
            do throws(OutboundFailure) {
                response = try await client.send(
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
            if response.body.isEmpty, hook.needsNoAnswer { return [:] }
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

package import ApusJSON
import ApusPostgres
package import ApusSQL
import ApusTokens
import Crypto
import Logging
import Synchronization

/// What the audit log records.
package struct AuditEvent: Sendable {
    /// GoTrue's words where it has one: `login`, `logout`, `user_signedup`, `token_revoked`…
    package var action: String
    /// Why it failed; nil when it did not.
    package var failure: String?
    /// Whom it is about; nil for nobody that is known.
    package var user: String?
    /// The role of whoever did it with a service key.
    package var administrator: String?
    /// What else there is to know; no personal data.
    package var traits: JSONObject

    package init(
        _ action: String, user: String? = nil, failure: String? = nil, administrator: String? = nil,
        traits: JSONObject = [:]
    ) {
        self.action = action
        self.user = user
        self.failure = failure
        self.administrator = administrator
        self.traits = traits
    }
}

extension AuditEvent {
    /// The statement that records it. Who it is about is named by a pseudonym that goes with the user, so what is left
    /// after an erasure says that something happened, and of nobody.
    ///
    /// - Parameter address: where it came from; kept without its last part.
    func recording(from address: String) -> SQL {
        var payload: JSONObject = [
            "action": .string(action), "outcome": failure == nil ? "success" : "failure",
        ]
        if let failure { payload["reason"] = .string(failure) }
        if let administrator { payload["actor_role"] = .string(administrator) }
        if !traits.members.isEmpty { payload["traits"] = .object(traits) }
        return """
            insert into auth.audit_log_entries (payload, ip_address)
            values ((\(bind: payload.text)::jsonb || coalesce((select jsonb_build_object('actor', p.pseudonym)
                    from auth.audit_subjects p where p.user_id = \(bind: SQLValue(user))::uuid), '{}'))::json,
                \(bind: NetworkAddress(address).truncated))
            """
    }
}

extension AuthService {
    /// The statement that records an event, for the transaction of what it tells of.
    package func recording(_ event: AuditEvent, _ call: AuthCall) -> SQL {
        auditIsBehind.store(true, ordering: .relaxed)
        var event = event
        if let key = call.keyName { event.traits["api_key"] = .string(key) }
        return event.recording(from: call.address)
    }

    /// Runs `body`; when it refuses, the event is in the log as one that failed. What succeeded records itself, in its own
    /// transaction.
    func auditingRefusals<R: Sendable>(
        of event: AuditEvent, _ call: AuthCall, _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch let fault as AuthFault {
            var refused = event
            refused.failure = fault.code
            await record(refused, call)
            throw fault
        }
    }

    /// Records an event on its own; the caller's work does not depend on it.
    package func record(_ event: AuditEvent, _ call: AuthCall) async {
        do throws(PostgresFault) {
            try await database.query(recording(event, call))
        } catch {
            logger.error(
                "an audit entry is lost",
                metadata: ["action": "\(event.action)", "reason": "\(error.message)"])
        }
    }

    /// A keyed digest of what a client said somebody is called: to count by, and to know nobody from.
    ///
    /// - Throws: 503 before secrets were read.
    package func pseudonym(_ name: String) throws(AuthFault) -> String {
        guard let secret = secrets[.pseudonyms] else { throw .notReady }
        return Base64URL.encode(
            Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: secret).prefix(18)))
    }
}

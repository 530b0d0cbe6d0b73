import ApusJSON
import ApusSQL

/// What may change the claims of access tokens (`auth-hook-custom-access-token-uri`).
///
/// It takes and returns JSON as GoTrue's hook does: `{"user_id", "claims", "authentication_method"}` goes in, and
/// `{"claims"}` comes out, or `{"error": {"http_code", "message"}}`.
package struct TokenHook: Sendable {
    /// Claims that say who it is and for how long: the hook cannot take them away or change them.
    private static let fixed = [
        "iss", "sub", "aud", "exp", "iat", "session_id", "aal", "amr", "is_anonymous",
    ]
    /// Claims that must be there in the end, with any value of their kind.
    private static let required = ["role", "email", "phone"]
    /// Bytes of the claims; larger ones would not fit into a header field.
    private static let limit = 6_144

    let hook: Hook

    package init(_ hook: Hook) { self.hook = hook }

    /// nil: a service is asked.
    var function: HookFunction? { if case .function(let function) = hook.target { function } else { nil } }

    static func input(_ user: String, _ claims: JSONObject, _ session: AuthSession) -> JSONObject {
        [
            "user_id": .string(user), "claims": .object(claims),
            "authentication_method": .string(session.methods.first?.name ?? ""),
        ]
    }

    /// The statements that call a function within a transaction, whose own patience is what it was afterwards.
    static func calling(_ function: HookFunction, _ input: JSONObject) -> [SQL] {
        [
            """
            select set_config('apus.statement_timeout', current_setting('statement_timeout'), true),
                set_config('statement_timeout', \(bind: Hook.functionPatience), true)
            """,
            function.calling(input),
            "select set_config('statement_timeout', current_setting('apus.statement_timeout'), true)",
        ]
    }

    /// The claims that a function's answer makes of others.
    ///
    /// - Throws: what the function refuses with; 500 for an answer that is none.
    func claims(_ answer: [UInt8]?, from claims: JSONObject) throws(AuthFault) -> JSONObject {
        try self.claims(try hook.answer(answer), from: claims)
    }

    /// The same for an answer that was read.
    func claims(_ answer: JSONObject, from claims: JSONObject) throws(AuthFault) -> JSONObject {
        guard var changed = answer["claims"]?.object else { throw hook.failed("it returned no claims") }
        for name in Self.fixed { changed[name] = claims[name] }
        for name in Self.required where changed[name]?.text == nil {
            throw hook.failed("it took the claim \(name) away")
        }
        guard JSONValue.object(changed).bytes.count <= Self.limit else {
            throw hook.failed("its claims are too many")
        }
        return changed
    }
}

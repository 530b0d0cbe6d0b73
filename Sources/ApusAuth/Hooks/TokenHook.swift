import ApusJSON
import ApusSQL

/// A function of the database that may change the claims of access tokens (`auth-hook-custom-access-token-uri`).
///
/// It takes and returns JSON as GoTrue's hook does: `{"user_id", "claims", "authentication_method"}` goes in, and
/// `{"claims"}` comes out, or `{"error": {"http_code", "message"}}`.
package struct TokenHook: Sendable, Equatable {
    /// Claims that say who it is and for how long: the function cannot take them away or change them.
    private static let fixed = [
        "iss", "sub", "aud", "exp", "iat", "session_id", "aal", "amr", "is_anonymous",
    ]
    /// Claims that must be there in the end, with any value of their kind.
    private static let required = ["role", "email", "phone"]
    /// Bytes of the claims; larger ones would not fit into a header field.
    private static let limit = 6_144

    private let function: HookFunction

    /// - Parameter uri: `pg-functions://postgres/SCHEMA/FUNCTION`, as GoTrue has it, or `SCHEMA.FUNCTION`.
    /// - Returns: nil for anything else.
    package init?(_ uri: String) {
        guard let function = HookFunction(uri) else { return nil }
        self.function = function
    }

    func calling(_ input: JSONObject) -> SQL { function.calling(input) }

    /// The claims that a function's answer makes of others.
    ///
    /// - Throws: what the function refuses with; 500 for an answer that is none.
    func claims(_ answer: String?, from claims: JSONObject) throws(AuthFault) -> JSONObject {
        guard let answer, let object = try? JSONReader.read(Array(answer.utf8)).object else {
            throw Self.broken("it did not return a JSON object")
        }
        if let error = object["error"]?.object {
            var status = 500
            if case .number(let text) = error["http_code"], let code = Int(text), (400..<600).contains(code) {
                status = code
            }
            throw AuthFault(
                status, status >= 500 ? "unexpected_failure" : "hook_rejected",
                error["message"]?.text ?? "Refused")
        }
        guard var changed = object["claims"]?.object else { throw Self.broken("it returned no claims") }
        for name in Self.fixed { changed[name] = claims[name] }
        for name in Self.required where changed[name]?.text == nil {
            throw Self.broken("it took the claim \(name) away")
        }
        guard JSONValue.object(changed).bytes.count <= Self.limit else {
            throw Self.broken("its claims are too many")
        }
        return changed
    }

    private static func broken(_ reason: String) -> AuthFault {
        AuthFault(500, "unexpected_failure", "The custom access token hook failed: \(reason)")
    }
}

import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens
import Crypto

/// A sign-in that has gone to a provider and is to come back: one row of `auth.flow_state`.
///
/// What comes back is bound to the browser that went: by a cookie, or, where a client fetched the address itself, by
/// the challenge that the exchange must meet.
struct ProviderFlow: Sendable {
    /// Seconds that somebody may take at the provider.
    static let patience = 600

    /// `state` of the request, and the row's id.
    let id: String
    let provider: String
    /// Where the client wants to be sent to; checked.
    let redirectTo: String
    /// S256 challenge of the client; nil: the session is handed over in the fragment.
    let challenge: String?
    /// To whom the account is to be linked; nil: it signs in.
    let linkingTarget: String?
    /// What the id_token must repeat.
    let nonce: String
    /// Our own proof towards the provider (RFC 7636).
    let verifier: String
    /// Whether the browser must show the cookie that it was given.
    let needsCookie: Bool

    init(
        provider: String, redirectTo: String, challenge: String?, linkingTarget: String? = nil,
        needsCookie: Bool
    ) {
        id = UUIDText.random()
        self.provider = provider
        self.redirectTo = redirectTo
        self.challenge = challenge
        self.linkingTarget = linkingTarget
        nonce = Base64URL.encode(RandomBytes.make(24))
        verifier = Base64URL.encode(RandomBytes.make(32))
        self.needsCookie = needsCookie
    }

    /// S256 of ``verifier``.
    var ownChallenge: String { Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8)))) }

    // MARK: - The row

    /// - Parameters:
    ///   - sealed: the verifier, encrypted.
    ///   - cookie: what the browser was given; kept as its digest.
    func storing(sealed: String, cookie: String?) -> SQL {
        var context: JSONObject = [
            "nonce": .string(nonce), "verifier": .string(sealed), "redirect_to": .string(redirectTo),
        ]
        if let cookie { context["cookie"] = .string(CodeExchange.digest(cookie)) }
        let method: SQL = challenge == nil ? "null" : "'s256'"
        return """
            insert into auth.flow_state (id, provider_type, authentication_method, code_challenge,
                code_challenge_method, linking_target_id, context, expires_at)
            values (\(bind: id), \(bind: provider), 'oauth', \(bind: SQLValue(challenge)), \(method),
                \(bind: SQLValue(linkingTarget))::uuid, \(bind: context.text)::jsonb,
                now() + make_interval(secs => \(bind: Self.patience)))
            """
    }

    /// Takes a flow that came back, once: one statement, so that of many at the same time one gets it.
    ///
    /// - Parameter cookies: digests of the cookies that the browser showed for it.
    static func taking(_ id: String, cookies: [String]) -> SQL {
        let shown = "{" + cookies.joined(separator: ",") + "}"
        return """
            update auth.flow_state set context = context || '{"answered": true}', updated_at = now()
            where id = \(bind: id) and authentication_method = 'oauth' and auth_code is null and expires_at > now()
                and not context ? 'answered'
                and (not context ? 'cookie' or context ->> 'cookie' = any(\(bind: shown)::text[]))
            returning provider_type, context ->> 'redirect_to', code_challenge, linking_target_id,
                context ->> 'nonce', context ->> 'verifier', context ? 'cookie'
            """
    }

    /// Where to say that a flow has failed that could not be taken; only to a browser that was in it.
    static func explaining(_ id: String, cookies: [String]) -> SQL {
        let shown = "{" + cookies.joined(separator: ",") + "}"
        return """
            select context ->> 'redirect_to', code_challenge is not null, context ? 'answered'
            from auth.flow_state
            where id = \(bind: id) and authentication_method = 'oauth'
                and (not context ? 'cookie' or context ->> 'cookie' = any(\(bind: shown)::text[]))
            """
    }

    /// From a row of ``taking(_:cookies:)``.
    init?(_ id: String, _ rows: Rows, open: (String) -> String?) {
        guard let provider = rows.string(0, 0), let redirectTo = rows.string(0, 1),
            let nonce = rows.string(0, 4), let verifier = rows.string(0, 5).flatMap(open)
        else { return nil }
        self.id = id
        self.provider = provider
        self.redirectTo = redirectTo
        challenge = rows.string(0, 2)
        linkingTarget = rows.string(0, 3)
        self.nonce = nonce
        self.verifier = verifier
        needsCookie = rows.bool(0, 6) ?? false
    }
}

import ApusJSON
import ApusOutbound
import ApusTokens

/// The provider's tokens for a code, and what it says of the user.
struct ProviderExchange: Sendable {
    let provider: Provider
    let document: ProviderDocument
    let directory: ProviderDirectory
    let redirectURI: String
    /// Seconds since 1970.
    let now: Int

    /// What came for a code.
    struct Tokens: Sendable {
        var access: String
        var refresh: String?
        var id: String?
    }

    // MARK: - Going there

    /// Where the browser is sent (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1).
    ///
    /// - Parameters:
    ///   - scopes: what the client adds.
    ///   - extras: what else it asks the provider for.
    func address(_ flow: ProviderFlow, scopes: [String], extras: [(String, String)]) -> String {
        var wanted = provider.scopes
        for scope in provider.settings.scopes + scopes where !wanted.contains(scope) { wanted.append(scope) }
        var pairs = extras
        pairs += [
            ("response_type", "code"), ("client_id", provider.settings.clientIDs.first ?? ""),
            ("redirect_uri", redirectURI), ("scope", wanted.joined(separator: " ")), ("state", flow.id),
            ("code_challenge", flow.ownChallenge), ("code_challenge_method", "S256"),
        ]
        if provider.isOpenID { pairs.append(("nonce", flow.nonce)) }
        if let mode = provider.responseMode { pairs.append(("response_mode", mode)) }
        let base = document.authorization.description
        return AuthService.adding(PercentEncoding.form(pairs), toQueryOf: base)
    }

    // MARK: - Coming back

    /// Tokens for a code (RFC 6749 §4.1.3).
    func tokens(code: String, verifier: String) async throws -> Tokens {
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI),
            ("code_verifier", verifier),
        ]
        let client = provider.settings.clientIDs.first ?? ""
        let secret =
            provider.kind == .apple ? AppleSecret.make(provider.settings, now: now) : provider.settings.secret
        var fields = [
            (name: "Content-Type", value: "application/x-www-form-urlencoded"),
            (name: "Accept", value: "application/json"),
        ]
        if let secret, !document.secretInBody {
            // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
            let pair = PercentEncoding.component(client) + ":" + PercentEncoding.component(secret)
            fields.append((name: "Authorization", value: "Basic " + Self.base64(Array(pair.utf8))))
        } else {
            form.append(("client_id", client))
            if let secret { form.append(("client_secret", secret)) }
        }
        let answer = try await ask(
            .init("POST", document.token, fields: fields, body: Array(PercentEncoding.form(form).utf8)))
        guard let access = answer["access_token"]?.text else {
            throw AuthFault(400, "bad_oauth_callback", "The identity provider did not accept the code")
        }
        return Tokens(access: access, refresh: answer["refresh_token"]?.text, id: answer["id_token"]?.text)
    }

    /// Who it is that the tokens are for.
    func account(_ tokens: Tokens, nonce: String) async throws -> ProviderAccount {
        guard provider.isOpenID else { return try await githubAccount(tokens.access) }
        guard let token = tokens.id else {
            throw AuthFault(400, "bad_oauth_callback", "The identity provider sent no id_token")
        }
        var claims: JSONObject
        do {
            claims = try await directory.claims(of: token, from: provider)
        } catch is TokenFault {
            throw AuthFault(400, "bad_oauth_callback", "The identity provider's id_token is not signed by it")
        }
        var check = IDTokenCheck(
            provider: provider, issuer: document.issuer, nonce: .exactly(nonce), now: now)
        check.accessToken = tokens.access
        do throws(AuthFault) {
            try check.check(claims)
        } catch {
            throw AuthFault(400, "bad_oauth_callback", error.message)
        }
        if claims["email"] == nil, let url = document.userInfo {
            let more = try await userInfo(url, tokens.access)
            // Somebody else's would be a substituted token (OpenID Connect Core 1.0 §5.3.2).
            guard more["sub"]?.text == claims["sub"]?.text else {
                throw AuthFault(400, "bad_oauth_callback", "The identity provider speaks of two users")
            }
            for member in more.members where claims[member.name] == nil { claims[member.name] = member.value }
        }
        return ProviderAccount(claims, of: provider)
    }

    // MARK: - Non public

    private func userInfo(_ url: OutboundURL, _ token: String) async throws -> JSONObject {
        try await ask(
            .init(
                "GET", url, fields: [("Authorization", "Bearer \(token)"), ("Accept", "application/json")]))
    }

    /// GitHub's user and the address that is verified and primary there.
    private func githubAccount(_ token: String) async throws -> ProviderAccount {
        guard let url = document.userInfo, let addressesURL = OutboundURL(url.description + "/emails") else {
            throw AuthFault.providerAway
        }
        let user = try await userInfo(url, token)
        guard case .number(let id) = user["id"], Int(id) != nil else { throw AuthFault.providerAway }
        let response = try await send(
            .init(
                "GET", addressesURL,
                fields: [("Authorization", "Bearer \(token)"), ("Accept", "application/json")]))
        let addresses =
            response.status == 200 ? (try? JSONReader.read(response.body).array) ?? [] : []
        let primary = addresses.first { $0.object?["primary"] == .bool(true) }?.object
        var profile = JSONObject()
        for (name, other) in [
            ("name", "name"), ("full_name", "name"), ("user_name", "login"), ("preferred_username", "login"),
            ("avatar_url", "avatar_url"),
        ] {
            if let text = user[other]?.text { profile[name] = .string(text) }
        }
        return ProviderAccount(
            provider: provider.name, issuer: "\(url.origin)", subject: id, email: primary?["email"]?.text,
            isEmailVerified: primary?["verified"] == .bool(true), profile: profile)
    }

    private func ask(_ request: OutboundClient.Request) async throws -> JSONObject {
        let response = try await send(request)
        guard let object = try? JSONReader.read(response.body).object, (200..<500).contains(response.status)
        else {
            throw AuthFault.providerAway
        }
        return object
    }

    private func send(_ request: OutboundClient.Request) async throws -> OutboundClient.Response {
        do throws(OutboundFailure) {
            return try await directory.client.send(request, timeout: .seconds(5))
        } catch {
            directory.note(error, provider)
            throw AuthFault.providerAway
        }
    }

    /// Base64 with padding (RFC 4648 §4).
    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }
}

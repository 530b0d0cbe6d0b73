/// What a client asks for at the authorization endpoint (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1), checked as far
/// as it can be without knowing who sits there.
struct AuthorizationRequest: Sendable {
    enum Prompt: String, Sendable {
        case none
        case login
        case consent
        case selectAccount = "select_account"
    }

    let redirectURI: String
    let state: String?
    let scopes: [String]
    let resource: String?
    let challenge: String
    let nonce: String?
    let prompts: Set<Prompt>
    /// Seconds since the person last proved who they are.
    let maxAge: Int?
    let loginHint: String?
    let idTokenHint: String?

    /// What does not concern where to go back to. The redirect URI was checked before.
    init(
        _ parameters: OAuthParameters, client: OAuthClient, redirectURI: String, dataResource: String
    ) throws(OAuthFault) {
        try parameters.checkUnique()
        self.redirectURI = redirectURI
        state = parameters["state"]
        let type = try parameters.required("response_type")
        guard type == "code" else {
            throw OAuthFault("unsupported_response_type", "The only response_type is code.")
        }
        guard parameters["response_mode"] ?? "query" == "query" else {
            throw .invalidRequest("The only response_mode is query.")
        }
        try Self.refuseObjects(parameters)
        guard let challenge = parameters["code_challenge"] else {
            throw .invalidRequest("code_challenge is missing: PKCE is required.")
        }
        guard parameters["code_challenge_method"] == "S256" else {
            throw .invalidRequest("code_challenge_method must be S256.")
        }
        guard challenge.utf8.count == 43, challenge.utf8.allSatisfy(Self.isBase64URL) else {
            throw .invalidRequest("code_challenge must be the base64url of a SHA-256 digest.")
        }
        self.challenge = challenge
        scopes = try Self.scopes(parameters["scope"], client)
        resource = try Self.resource(parameters["resource"], client, dataResource)
        nonce = parameters["nonce"]
        guard nonce?.utf8.count ?? 0 <= 255 else { throw .invalidRequest("nonce is too long.") }
        guard state?.utf8.count ?? 0 <= 4096 else { throw .invalidRequest("state is too long.") }
        prompts = try Self.prompts(parameters["prompt"])
        if let text = parameters["max_age"] {
            guard let number = Int(text), (0...Int(Int32.max)).contains(number) else {
                throw .invalidRequest("max_age must be a number of seconds.")
            }
            maxAge = number
        } else {
            maxAge = nil
        }
        loginHint = parameters["login_hint"].map { String($0.prefix(256)) }
        idTokenHint = parameters["id_token_hint"]
    }

    // MARK: - Non public

    /// RFC 9101: request objects are not supported, and must not be ignored.
    private static func refuseObjects(_ parameters: OAuthParameters) throws(OAuthFault) {
        if parameters["request"] != nil {
            throw OAuthFault("request_not_supported", "Request objects are not supported.")
        }
        if parameters["request_uri"] != nil {
            throw OAuthFault("request_uri_not_supported", "Request objects are not supported.")
        }
        if parameters["registration"] != nil {
            throw OAuthFault("registration_not_supported", "Clients do not describe themselves here.")
        }
    }

    /// Scopes without a meaning are left out, as are those that the client was not given (OpenID Connect Core §3.1.2.1).
    private static func scopes(_ text: String?, _ client: OAuthClient) throws(OAuthFault) -> [String] {
        guard let text else { return ["email"] }
        var scopes: [String] = []
        for scope in text.split(separator: " ").map({ String($0) })
        where OAuthSettings.scopes.contains(scope) && !scopes.contains(scope)
            && (client.scopes.isEmpty || client.scopes.contains(scope))
        {
            scopes.append(scope)
        }
        guard !scopes.isEmpty else { throw OAuthFault("invalid_scope", "None of the scopes can be had.") }
        return scopes
    }

    private static func resource(
        _ text: String?, _ client: OAuthClient, _ dataResource: String
    ) throws(OAuthFault) -> String? {
        guard let text else { return nil }
        guard client.resources.contains(text) else {
            throw OAuthFault("invalid_target", "The client may have no tokens for this resource.")
        }
        return text
    }

    private static func prompts(_ text: String?) throws(OAuthFault) -> Set<Prompt> {
        var prompts: Set<Prompt> = []
        for word in text?.split(separator: " ") ?? [] {
            guard let prompt = Prompt(rawValue: String(word)) else {
                throw .invalidRequest("prompt holds a word without a meaning.")
            }
            prompts.insert(prompt)
        }
        guard !prompts.contains(.none) || prompts.count == 1 else {
            throw .invalidRequest("prompt=none goes with nothing else.")
        }
        return prompts
    }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

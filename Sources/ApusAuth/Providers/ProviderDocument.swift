import ApusJSON
import ApusOutbound

/// Where a provider answers what (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
struct ProviderDocument: Sendable {
    /// As the document says it; Microsoft's shared one has a placeholder in it.
    let issuer: String
    let authorization: OutboundURL
    let token: OutboundURL
    let keys: OutboundURL?
    let userInfo: OutboundURL?
    /// Whether the secret travels in the body (`client_secret_post`) and not in `Authorization`.
    let secretInBody: Bool
    /// RFC 9207: whether `iss` must come with the code.
    let namesItself: Bool

    /// The document of an issuer that speaks OpenID Connect.
    ///
    /// - Returns: nil when it speaks of another issuer, or lacks what is needed.
    init?(_ json: JSONObject, of provider: Provider) {
        func url(_ name: String) -> OutboundURL? { json[name]?.text.flatMap { OutboundURL($0) } }
        guard let issuer = json["issuer"]?.text, provider.isDocumentIssuer(issuer),
            let authorization = url("authorization_endpoint"), let token = url("token_endpoint"),
            let keys = url("jwks_uri")
        else { return nil }
        self.issuer = issuer
        self.authorization = authorization
        self.token = token
        self.keys = keys
        userInfo = url("userinfo_endpoint")
        let methods = json["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.text)
        // Without a word about it, Basic is what there is (RFC 8414 §2).
        secretInBody = methods.map { $0.contains("client_secret_post") } ?? false
        namesItself = json["authorization_response_iss_parameter_supported"] == .bool(true)
    }

    /// GitHub has no such document.
    init?(github base: String) {
        let api = base == "https://github.com" ? "https://api.github.com" : base + "/api/v3"
        guard let authorization = OutboundURL(base + "/login/oauth/authorize"),
            let token = OutboundURL(base + "/login/oauth/access_token"), let user = OutboundURL(api + "/user")
        else { return nil }
        issuer = base
        self.authorization = authorization
        self.token = token
        keys = nil
        userInfo = user
        secretInBody = true
        namesItself = false
    }
}

/// What the operator said of a provider: `auth-external-NAME-…`.
package struct ProviderSettings: Sendable, Equatable {
    /// As it stands in requests and in `auth.identities`: `google`, `github`, or whatever the operator calls an issuer.
    package var name: String
    /// `-client-id`: the first is used for the browser's flow, all of them may be the audience of an id_token.
    package var clientIDs: [String]
    /// `-secret`; for Apple, what it wants as a secret or the PEM text of the key that makes one.
    package var secret: String?
    /// `-url`: the issuer; for GitHub, the base of an Enterprise server; for Apple, whoever stands in for it in tests.
    package var url: String?
    /// `-redirect-uri`; nil: `/callback` below the external URL.
    package var redirectURI: String?
    /// `-scopes`: more than the provider's usual ones.
    package var scopes: [String]
    /// `-skip-nonce-check`: for apps whose libraries cannot send one.
    package var skipsNonce: Bool
    /// `-email-optional`: whether somebody may come without an address.
    package var isEmailOptional: Bool
    /// `-key-id` and `-team-id`: of the key in `secret`, for Apple.
    package var keyID: String?
    package var teamID: String?

    package init(
        name: String, clientIDs: [String], secret: String? = nil, url: String? = nil,
        redirectURI: String? = nil,
        scopes: [String] = [], skipsNonce: Bool = false, isEmailOptional: Bool = false, keyID: String? = nil,
        teamID: String? = nil
    ) {
        self.name = name
        self.clientIDs = clientIDs
        self.secret = secret
        self.url = url
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.skipsNonce = skipsNonce
        self.isEmailOptional = isEmailOptional
        self.keyID = keyID
        self.teamID = teamID
    }
}

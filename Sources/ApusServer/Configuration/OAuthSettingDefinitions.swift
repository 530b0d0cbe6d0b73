import ApusAuth

extension SettingDefinition {
    /// Settings of the identity provider: GoTrue's names with `auth-` before them.
    static let identityProvider: [SettingDefinition] = [
        .init(
            "auth-oauth-server-enabled", .boolean, "false",
            "Whether other programs may let people sign in with their account here (OAuth 2.1, OpenID Connect)."
        ),
        .init(
            "auth-oauth-server-authorization-path", .string, nil,
            "Path below auth-site-url of a page of yours that signs people in and asks for consent; default: pages of Apus."
        ),
        .init(
            "auth-oauth-server-allow-dynamic-registration", .boolean, "false",
            "Whether programs may register themselves as clients."),
    ]
}

extension Settings {
    /// The identity provider.
    ///
    /// - Parameter externalURL: where clients reach authentication.
    func identityProvider(externalURL: String) -> OAuthSettings {
        var oauth = OAuthSettings()
        oauth.isEnabled = boolean("auth-oauth-server-enabled")
        oauth.authorizationPath = string("auth-oauth-server-authorization-path") ?? ""
        oauth.allowsDynamicRegistration = boolean("auth-oauth-server-allow-dynamic-registration")
        // The data API's URL stands beside authentication's.
        let base =
            externalURL.hasSuffix(authPrefix) ? String(externalURL.dropLast(authPrefix.count)) : externalURL
        oauth.dataResource = base + (restPrefix.isEmpty ? "/" : restPrefix)
        return oauth
    }
}

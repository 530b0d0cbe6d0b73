package import ApusJSON

/// A provider of accounts, with what is particular about it.
package struct Provider: Sendable {
    /// What kind of provider it is.
    enum Kind: Sendable, Equatable {
        /// OpenID Connect by discovery.
        case openID
        case google
        case apple
        /// Microsoft Entra ID and personal accounts.
        case microsoft
        /// OAuth 2 without OpenID Connect.
        case github
    }

    package let settings: ProviderSettings
    let kind: Kind
    /// The issuer's URL, without a slash at its end unless the operator wrote one; GitHub's base.
    let issuer: String

    /// - Returns: nil for a name that means nothing here and has no URL.
    package init?(_ settings: ProviderSettings) {
        self.settings = settings
        switch settings.name {
        case "google": (kind, issuer) = (.google, "https://accounts.google.com")
        case "apple": (kind, issuer) = (.apple, Self.trimmed(settings.url ?? Self.apple))
        case "github": (kind, issuer) = (.github, Self.trimmed(settings.url ?? "https://github.com"))
        case "azure", "microsoft":
            let base = Self.trimmed(settings.url ?? "https://login.microsoftonline.com/common")
            (kind, issuer) = (.microsoft, base.hasSuffix("/v2.0") ? base : base + "/v2.0")
        default:
            guard let url = settings.url, !url.isEmpty else { return nil }
            (kind, issuer) = (.openID, url)
        }
    }

    package var name: String { settings.name }

    /// Apple's issuer, which is also the audience of the secret that it wants.
    private static let apple = "https://appleid.apple.com"

    var isOpenID: Bool { kind != .github }

    /// What is asked for beside what a client and the operator add.
    var scopes: [String] {
        switch kind {
        case .apple: ["openid", "name", "email"]
        case .github: ["user:email"]
        case .openID, .google, .microsoft: ["openid", "email", "profile"]
        }
    }

    /// Apple sends name and address only in a form that the browser posts.
    var responseMode: String? { kind == .apple ? "form_post" : nil }

    // MARK: - Who may have issued a token

    /// Whether an id_token's `iss` is this provider's: compared as a whole, never by its beginning, so that
    /// `https://login.microsoftonline.com.evil/` is nobody.
    ///
    /// - Parameters:
    ///   - claims: of the same token; Microsoft's issuer names the token's tenant.
    ///   - documented: `issuer` of the discovery document.
    func isIssuer(_ text: String, claims: JSONObject, documented: String) -> Bool {
        switch kind {
        case .google: return text == issuer || text == "accounts.google.com"
        case .github: return false
        case .openID, .apple: return text == issuer
        case .microsoft:
            // A tenant's own endpoints are for that tenant alone; the keys are the same for all of them.
            guard isShared else { return text == documented }
            guard let tenant = claims["tid"]?.text, UUIDText.read(tenant) == tenant else { return false }
            return isTenantAllowed(tenant) && text == microsoftIssuer(tenant: tenant)
        }
    }

    /// Whether a discovery document speaks of this provider (OpenID Connect Discovery 1.0 §4.3). Microsoft's shared
    /// endpoints have a placeholder for the tenant in it, and a tenant that is named by its domain has its id.
    func isDocumentIssuer(_ text: String) -> Bool {
        guard kind == .microsoft, let wanted = tenant else { return text == issuer }
        if isShared {
            return text == microsoftIssuer(tenant: "{tenantid}")
                || wanted == "consumers" && text == microsoftIssuer(tenant: Self.personal)
        }
        guard UUIDText.read(wanted) == nil else { return text == issuer }
        return text.split(separator: "/").dropFirst(2).first.map(String.init).flatMap(UUIDText.read)
            .map { microsoftIssuer(tenant: $0) == text } ?? false
    }

    /// The tenant of personal accounts.
    private static let personal = "9188040d-6c67-4b5b-b112-36a304b66dad"

    private var tenant: String? { issuer.split(separator: "/").dropFirst(2).first.map(String.init) }
    private var isShared: Bool { ["common", "organizations", "consumers"].contains(tenant ?? "") }

    private func isTenantAllowed(_ text: String) -> Bool {
        switch tenant {
        case "organizations": text != Self.personal
        case "consumers": text == Self.personal
        default: true
        }
    }

    private func microsoftIssuer(tenant: String) -> String {
        let base = issuer.split(separator: "/").prefix(2).map(String.init)
        return base.count == 2 ? "\(base[0])//\(base[1])/\(tenant)/v2.0" : ""
    }

    private static func trimmed(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }
}

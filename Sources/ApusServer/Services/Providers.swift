import ApusAuth
import ApusFaults

extension Settings {
    /// The providers of accounts that are switched on.
    ///
    /// - Throws: for one that cannot work.
    func providers() throws -> [ProviderSettings] {
        try providerNames.filter { boolean("auth-external-\($0)-enabled") }.map { name in
            func text(_ suffix: String) -> String? { string("auth-external-\(name)-\(suffix)") }
            let provider = ProviderSettings(
                name: name, clientIDs: list("auth-external-\(name)-client-id"),
                secret: try secret("auth-external-\(name)-secret"), url: text("url"),
                redirectURI: text("redirect-uri"), scopes: list("auth-external-\(name)-scopes"),
                skipsNonce: boolean("auth-external-\(name)-skip-nonce-check"),
                isEmailOptional: boolean("auth-external-\(name)-email-optional"), keyID: text("key-id"),
                teamID: text("team-id"))
            guard Provider(provider) != nil else {
                throw Fault(
                    code: "APUS002", kind: .invalid,
                    message: "The provider '\(name)' has no URL.",
                    hint:
                        "Known without one: apple, azure, github, google. Else set auth-external-\(name)-url."
                )
            }
            guard !provider.clientIDs.isEmpty else {
                throw Fault(
                    code: "APUS002", kind: .invalid, message: "The provider '\(name)' has no client id.",
                    hint: "Set auth-external-\(name)-client-id.")
            }
            return provider
        }
    }
}

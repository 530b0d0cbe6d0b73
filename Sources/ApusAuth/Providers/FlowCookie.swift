import ApusFaults
import ApusTokens

/// The cookie that says that a browser which comes back from a provider is the one that went there. Without it an
/// attacker could have somebody else's browser finish a sign-in of his (login CSRF, RFC 6749 §10.12).
enum FlowCookie {
    /// Each flow has its own, so that two in two tabs do not disturb each other.
    private static func name(_ flow: String) -> String { "apus-flow-" + flow.prefix(8) }

    static func make() -> String { Base64URL.encode(RandomBytes.make(32)) }

    /// - Parameter externalURL: of authentication. With TLS the cookie also comes with a form that another site posts,
    ///   as Apple has it.
    static func field(_ flow: String, _ value: String, externalURL: String) -> HeaderField {
        let isSecure = externalURL.hasPrefix("https://")
        let policy = isSecure ? "; SameSite=None; Secure" : "; SameSite=Lax"
        return HeaderField(
            "Set-Cookie",
            "\(name(flow))=\(value); Path=\(path(externalURL)); Max-Age=\(ProviderFlow.patience); HttpOnly\(policy)"
        )
    }

    /// Digests of the values that a browser shows for a flow; some few, because other cookies may have the name.
    static func digests(_ flow: String, in header: String?) -> [String] {
        let wanted = name(flow) + "="
        let values = (header ?? "").split(separator: ";").map { $0.drop { $0 == " " } }
            .filter { $0.hasPrefix(wanted) }.prefix(4)
        return values.map { CodeExchange.digest(String($0.dropFirst(wanted.count))) }
    }

    private static func path(_ externalURL: String) -> String {
        let parts = externalURL.split(separator: "/", omittingEmptySubsequences: true).dropFirst(2)
        return "/" + parts.joined(separator: "/")
    }
}

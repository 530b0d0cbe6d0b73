/// What decides which tokens hold and which role they give. The names in the comments are PostgREST's.
///
/// Printing it never shows the secret.
package struct TokenSettings: Sendable {
    /// `jwt-secret`: at least 32 bytes of text (an HS256 secret), a JSON Web Key, or a key set (RFC 7517).
    /// nil: every token is refused with `PGRST300`.
    package var secret: [UInt8]?
    /// `jwt-secret-is-base64`: ``secret`` is base64 or base64url of what is meant.
    package var secretIsBase64: Bool
    /// `jwt-aud`: what `aud` must be or hold, when a token has one. nil: any.
    package var audience: String?
    /// `jwt-role-claim-key`: where in the claims the role is; see ``RoleClaimPath``.
    package var roleClaimKey: String
    /// `db-anon-role`: the role of requests without a token, and of tokens without a role. nil: both are refused.
    package var anonymousRole: String?
    /// `jwt-cache-max-entries`: how many verified tokens are remembered; 0: none.
    package var cacheMaxEntries: Int
    /// Longer tokens are refused unread, bytes.
    package var maximumTokenBytes: Int

    package init(
        secret: [UInt8]? = nil, secretIsBase64: Bool = false, audience: String? = nil,
        roleClaimKey: String = "$.role", anonymousRole: String? = nil, cacheMaxEntries: Int = 1000,
        maximumTokenBytes: Int = 8192
    ) {
        self.secret = secret
        self.secretIsBase64 = secretIsBase64
        self.audience = audience
        self.roleClaimKey = roleClaimKey
        self.anonymousRole = anonymousRole
        self.cacheMaxEntries = cacheMaxEntries
        self.maximumTokenBytes = maximumTokenBytes
    }
}

extension TokenSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "TokenSettings(secret: \(secret == nil ? "none" : "redacted"), audience: \(audience ?? "any"), "
            + "roleClaimKey: \(roleClaimKey), anonymousRole: \(anonymousRole ?? "none"))"
    }

    package var debugDescription: String { description }

    /// Without children, so that `dump` and test failures show no secret either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

package import ApusJSON

/// The claims of an access token (RFC 7519), as the clients and policies of GoTrue's users know them.
package enum AccessToken {
    /// - Parameters:
    ///   - issuer: the external URL of authentication.
    ///   - now: seconds since 1970.
    ///   - lifetime: seconds.
    package static func claims(
        _ user: AuthUser, _ session: AuthSession, issuer: String, now: Int, lifetime: Int
    ) -> JSONObject {
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string(user.id), "aud": .string(user.audience),
            "exp": .int(now + lifetime), "iat": .int(now), "email": .string(user.email ?? ""),
            "phone": .string(user.phone ?? ""), "app_metadata": .object(user.appMetadata),
            "user_metadata": .object(user.userMetadata), "role": .string(user.role),
            "aal": .string(session.assurance),
            "amr": .array(
                session.methods.map { ["method": .string($0.name), "timestamp": .int($0.time)] }),
            "session_id": .string(session.id), "is_anonymous": .bool(user.isAnonymous),
        ]
        if let client = session.clientID { claims["client_id"] = .string(client) }
        return claims
    }
}

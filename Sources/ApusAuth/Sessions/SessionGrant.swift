import ApusFaults
package import ApusJSON

/// What somebody gets who signed in: the token response of the API.
package struct SessionGrant: Sendable {
    package let accessToken: String
    package let refreshToken: String
    /// Seconds.
    package let expiresIn: Int
    /// Seconds since 1970.
    package let expiresAt: Int
    package let user: AuthUser
    package let session: AuthSession
    /// Further members: `provider_token`, `weak_password`…
    package var more: JSONObject = [:]

    /// The response's body.
    package var json: JSONObject {
        var object: JSONObject = [
            "access_token": .string(accessToken), "token_type": "bearer", "expires_in": .int(expiresIn),
            "expires_at": .int(expiresAt), "refresh_token": .string(refreshToken), "user": .object(user.json),
        ]
        for member in more.members { object[member.name] = member.value }
        return object
    }

    package var answer: AuthAnswer {
        var answer = AuthAnswer.object(json)
        answer.fields = [
            .init("sb-auth-user-id", user.id), .init("sb-auth-session-id", session.id),
            .init("sb-auth-refresh-token-counter", String(session.counter)),
        ]
        return answer
    }
}

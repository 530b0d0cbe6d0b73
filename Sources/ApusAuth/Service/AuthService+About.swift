import ApusFaults
import ApusJSON

extension AuthService {
    /// `GET /health`
    package func health(_ call: AuthCall) async throws -> AuthAnswer {
        .json(["version": .string(version), "name": "GoTrue", "description": "Apus, authentication"])
    }

    /// `GET /.well-known/jwks.json`
    package func keySet(_ call: AuthCall) async throws -> AuthAnswer {
        var answer = AuthAnswer.json(["keys": .array(keys.published.map { .object($0) })])
        answer.isPublic = true
        answer.fields.append(.init("Cache-Control", "public, max-age=600"))
        return answer
    }

    /// `GET /settings`
    package func publicSettings(_ call: AuthCall) async throws -> AuthAnswer {
        var external = JSONObject()
        external["anonymous_users"] = .bool(settings.allowsAnonymous)
        for name in Self.providerNames { external[name] = .bool(settings.enabledProviders.contains(name)) }
        external["email"] = .bool(settings.allowsEmail)
        external["phone"] = .bool(settings.allowsPhone)
        return .json([
            "external": .object(external), "disable_signup": .bool(settings.isSignUpDisabled),
            "mailer_autoconfirm": .bool(settings.autoconfirmsEmail),
            "phone_autoconfirm": .bool(settings.autoconfirmsPhone),
            "sms_provider": .string(settings.smsProvider), "saml_enabled": false,
            "passkeys_enabled": .bool(settings.allowsPasskeys),
        ])
    }

    /// The providers that clients know to ask for.
    private static let providerNames = [
        "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google",
        "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "slack", "slack_oidc", "snapchat",
        "spotify",
        "twitch", "twitter", "workos", "zoom",
    ]

    /// `GET /user`
    package func user(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        .object(caller.user.json)
    }
}

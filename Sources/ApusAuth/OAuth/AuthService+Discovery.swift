import ApusFaults
import ApusJSON

extension AuthService {
    /// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server` (OpenID Connect Discovery
    /// §3, RFC 8414)
    package func discovery(_ call: AuthCall) async throws -> AuthAnswer {
        let issuer = settings.issuer
        var body: JSONObject = [
            "issuer": .string(issuer), "jwks_uri": .string(issuer + "/.well-known/jwks.json"),
            "subject_types_supported": .strings(["public"]),
            "id_token_signing_alg_values_supported": .strings(["ES256"]),
        ]
        if settings.oauth.isEnabled {
            for (name, path) in [
                ("authorization_endpoint", "authorize"), ("token_endpoint", "token"),
                ("userinfo_endpoint", "userinfo"),
                ("revocation_endpoint", "revoke"), ("introspection_endpoint", "introspect"),
            ] {
                body[name] = .string(issuer + "/oauth/" + path)
            }
            if settings.oauth.allowsDynamicRegistration {
                body["registration_endpoint"] = .string(issuer + "/oauth/clients/register")
            }
            let methods = ["client_secret_basic", "client_secret_post", "none"]
            let lists: [(String, [String])] = [
                ("response_types_supported", ["code"]), ("response_modes_supported", ["query"]),
                ("grant_types_supported", ["authorization_code", "refresh_token"]),
                ("code_challenge_methods_supported", ["S256"]), ("scopes_supported", OAuthSettings.scopes),
                ("token_endpoint_auth_methods_supported", methods),
                ("revocation_endpoint_auth_methods_supported", methods),
                ("introspection_endpoint_auth_methods_supported", Array(methods.dropLast())),
                ("prompt_values_supported", ["none", "login", "consent", "select_account"]),
                ("acr_values_supported", ["aal1", "aal2"]), ("display_values_supported", ["page"]),
                ("claim_types_supported", ["normal"]), ("ui_locales_supported", ["en"]),
                (
                    "claims_supported",
                    [
                        "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash",
                        "sid", "name",
                        "given_name", "family_name", "middle_name", "nickname", "preferred_username",
                        "profile",
                        "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "email",
                        "email_verified",
                        "phone_number", "phone_number_verified", "address",
                    ]
                ),
            ]
            for (name, values) in lists { body[name] = .strings(values) }
            body["authorization_response_iss_parameter_supported"] = true
            body["claims_parameter_supported"] = false
            body["request_parameter_supported"] = false
            body["request_uri_parameter_supported"] = false
            body["require_request_uri_registration"] = false
        }
        var answer = AuthAnswer.json(.object(body))
        answer.isPublic = true
        answer.fields.append(HeaderField("Cache-Control", "public, max-age=600"))
        return answer
    }
}

extension AuthFault {
    static let factorNotFound = AuthFault(404, "mfa_factor_not_found", "Factor not found")
    static let challengeNotFound = AuthFault(
        422, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found")
    static let challengeExpired = AuthFault(
        422, "mfa_challenge_expired",
        "MFA challenge has expired, verify against another challenge or create a new challenge.")
    static let tooManyFactors = AuthFault(
        422, "too_many_enrolled_mfa_factors",
        "Maximum number of verified factors reached, unenroll to continue")
    static let registeredUsersOnly = AuthFault(
        422, "anonymous_provider_disabled", "Anonymous users cannot have second factors")

    /// The code or credential is not right, was used before, or is too old.
    static func wrongFactor(_ message: String) -> AuthFault {
        AuthFault(422, "mfa_verification_failed", message)
    }

    static func factorKindDisabled(_ kind: AuthFactor.Kind, _ action: String) -> AuthFault {
        let code =
            switch kind {
            case .totp: "mfa_totp_"
            case .phone: "mfa_phone_"
            case .webAuthn: "mfa_web_authn_"
            case .recoveryCode: "mfa_recovery_codes_"
            }
        return AuthFault(
            422, code + action + "_not_enabled", "MFA \(action) is disabled for \(kind.rawValue)")
    }
}

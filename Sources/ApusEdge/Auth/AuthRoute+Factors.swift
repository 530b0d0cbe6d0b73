import ApusAuth
import NIOHTTP1

extension AuthRoute {
    /// Second factors and recovery codes. What has a name of its own stands before what has an id.
    static let factors: [AuthRoute] = [
        .init(.POST, "/factors", .user { try await $0.enrolFactor($1, $2) }),
        .init(.GET, "/factors/recovery-codes", .user { try await $0.recoveryCodeStatus($1, $2) }),
        .init(.POST, "/factors/recovery-codes", .user { try await $0.generateRecoveryCodes($1, $2) }),
        .init(.DELETE, "/factors/recovery-codes", .user { try await $0.removeRecoveryCodes($1, $2) }),
        .init(.POST, "/factors/recovery-codes/verify", .user { try await $0.verifyRecoveryCode($1, $2) }),
        .init(
            .POST, "/factors/recovery-codes/regenerate",
            .user { try await $0.regenerateRecoveryCodes($1, $2) }),
        .init(.DELETE, "/factors/:factor_id", .user { try await $0.removeFactor($1, $2) }),
        .init(.POST, "/factors/:factor_id/challenge", .user { try await $0.challengeFactor($1, $2) }),
        .init(.POST, "/factors/:factor_id/verify", .user { try await $0.verifyFactor($1, $2) }),
        .init(.GET, "/admin/users/:user_id/factors", .admin { try await $0.factors($1, $2) }),
        .init(.PUT, "/admin/users/:user_id/factors/:factor_id", .admin { try await $0.updateFactor($1, $2) }),
        .init(
            .DELETE, "/admin/users/:user_id/factors/:factor_id", .admin { try await $0.removeFactor($1, $2) }),
    ]

    static let passkeys: [AuthRoute] = [
        .init(
            .POST, "/passkeys/registration/options", .user { try await $0.passkeyRegistrationOptions($1, $2) }
        ),
        .init(.POST, "/passkeys/registration/verify", .user { try await $0.registerPasskey($1, $2) }),
        .init(.POST, "/passkeys/authentication/options", .open { try await $0.passkeySignInOptions($1) }),
        .init(.POST, "/passkeys/authentication/verify", .open { try await $0.signInWithPasskey($1) }),
        .init(.GET, "/passkeys", .user { try await $0.passkeys($1, $2) }),
        .init(.PATCH, "/passkeys/:passkey_id", .user { try await $0.renamePasskey($1, $2) }),
        .init(.DELETE, "/passkeys/:passkey_id", .user { try await $0.removePasskey($1, $2) }),
        .init(.GET, "/admin/users/:user_id/passkeys", .admin { try await $0.passkeys($1, $2) }),
        .init(
            .DELETE, "/admin/users/:user_id/passkeys/:passkey_id",
            .admin { try await $0.removePasskey($1, $2) }),
    ]
}

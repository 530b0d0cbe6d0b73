import ApusJSON
import ApusPostgres
import ApusSQL

/// A user's second factor, as one statement read it.
struct AuthFactor: Sendable {
    enum Kind: String, Sendable {
        case totp
        case phone
        case webAuthn = "webauthn"
        case recoveryCode = "recovery_code"

        /// What `amr` says when it was used.
        var method: String {
            switch self {
            case .totp: "totp"
            case .phone: "mfa/phone"
            case .webAuthn: "mfa/webauthn"
            case .recoveryCode: "mfa/recovery_code"
            }
        }
    }

    let id: String
    let kind: Kind
    let isVerified: Bool
    let name: String
    /// Sealed; see ``AuthService/openSeed(of:)``.
    let secret: String?
    let phone: String?
    /// The step of the TOTP code that was accepted last.
    let lastStep: Int64?
    /// A WebAuthn credential as ``FactorCredential`` writes it.
    let credential: JSONObject?

    /// Number of columns that ``columns`` selects.
    static let columnCount = 8

    /// What to select from `auth.mfa_factors as f`.
    static let columns: SQL =
        """
        f.id, f.factor_type, f.status = 'verified', coalesce(f.friendly_name, ''), f.secret, f.phone, f.last_totp_step,
        f.web_authn_credential
        """

    init?(_ rows: Rows, row: Int = 0, column: Int = 0) {
        guard row < rows.count, let id = rows.string(row, column),
            let kind = rows.string(row, column + 1).flatMap({ Kind(rawValue: $0) })
        else { return nil }
        self.id = id
        self.kind = kind
        isVerified = rows.bool(row, column + 2) ?? false
        name = rows.string(row, column + 3) ?? ""
        secret = rows.string(row, column + 4)
        phone = rows.string(row, column + 5)
        lastStep = rows.int(row, column + 6).map { Int64($0) }
        credential = rows.string(row, column + 7).flatMap { try? JSONReader.read(Array($0.utf8)).object }
    }
}

/// The credential of a WebAuthn factor, as it is kept in one column.
struct FactorCredential: Sendable {
    var id: [UInt8]
    var publicKey: [UInt8]
    var signCount: UInt32
    var isBackupEligible: Bool

    init(_ registration: WebAuthnRegistration) {
        id = registration.credentialID
        publicKey = registration.publicKey
        signCount = registration.signCount
        isBackupEligible = registration.isBackupEligible
    }

    init?(_ json: JSONObject) {
        guard let id = json["id"]?.text.flatMap({ Base64Text.decode($0) }),
            let publicKey = json["publicKey"]?.text.flatMap({ Base64Text.decode($0) })
        else { return nil }
        self.id = id
        self.publicKey = publicKey
        if case .number(let text) = json["signCount"] { signCount = UInt32(text) ?? 0 } else { signCount = 0 }
        isBackupEligible = json["backupEligible"] == .bool(true)
    }

    var json: JSONObject {
        [
            "id": .string(Base64Text.encode(id)), "publicKey": .string(Base64Text.encode(publicKey)),
            "signCount": .int(Int(signCount)), "backupEligible": .bool(isBackupEligible),
        ]
    }
}

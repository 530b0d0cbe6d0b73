import Crypto

/// What an authenticator signs (WebAuthn §6.1).
struct AuthenticatorData: Sendable {
    /// A new credential (WebAuthn §6.5.1).
    struct Credential: Sendable {
        var aaguid: [UInt8]
        var id: [UInt8]
        /// The COSE_Key as it came.
        var publicKey: [UInt8]
        var key: CredentialKey
    }

    let relyingPartyHash: [UInt8]
    let isUserPresent: Bool
    let isUserVerified: Bool
    let isBackupEligible: Bool
    let isBackedUp: Bool
    let signCount: UInt32
    let credential: Credential?

    /// - Throws: when the bytes are no authenticator data, or hold a key that is not supported.
    init(_ bytes: [UInt8]) throws(WebAuthnFault) {
        guard bytes.count >= 37 else { throw .malformed }
        relyingPartyHash = Array(bytes[0..<32])
        let flags = bytes[32]
        isUserPresent = flags & 0x01 != 0
        isUserVerified = flags & 0x04 != 0
        isBackupEligible = flags & 0x08 != 0
        isBackedUp = flags & 0x10 != 0
        signCount = bytes[33..<37].reduce(0) { $0 << 8 | UInt32($1) }
        var position = 37
        credential = flags & 0x40 != 0 ? try Self.credential(bytes, &position) : nil
        if flags & 0x80 != 0 {
            var reader = CBORReader(bytes, from: position)
            guard let extensions = try? reader.value(), case .map = extensions else { throw .malformed }
            position = reader.position
        }
        guard position == bytes.count, !isBackedUp || isBackupEligible else { throw .malformed }
    }

    /// Whether it was made for this relying party id.
    func isFor(_ relyingParty: String) -> Bool {
        relyingPartyHash == Array(SHA256.hash(data: Array(relyingParty.utf8)))
    }

    private static func credential(
        _ bytes: [UInt8], _ position: inout Int
    ) throws(WebAuthnFault) -> Credential {
        guard bytes.count >= position + 18 else { throw .malformed }
        let aaguid = Array(bytes[position..<position + 16])
        let length = Int(bytes[position + 16]) << 8 | Int(bytes[position + 17])
        position += 18
        // At most 1023 bytes (WebAuthn §7.1).
        guard (1...1023).contains(length), bytes.count >= position + length else { throw .malformed }
        let id = Array(bytes[position..<position + length])
        position += length
        var reader = CBORReader(bytes, from: position)
        guard let cose = try? reader.value() else { throw .malformed }
        guard let key = CredentialKey(cose: cose) else { throw .unsupportedKey }
        let publicKey = Array(bytes[position..<reader.position])
        position = reader.position
        return Credential(aaguid: aaguid, id: id, publicKey: publicKey, key: key)
    }
}

/// Why a ceremony (Web Authentication, Level 3 §7) does not hold. For the log; clients hear one sentence for all.
package enum WebAuthnFault: Error, Sendable, Equatable {
    /// The response is not what WebAuthn makes.
    case malformed
    /// The client data says another type of ceremony.
    case wrongCeremony
    /// The challenge that was signed is another one.
    case wrongChallenge
    /// A page of another origin asked.
    case wrongOrigin
    /// The authenticator signed for another relying party.
    case wrongRelyingParty
    /// Nobody touched the authenticator.
    case userNotPresent
    /// The authenticator did not ask for a PIN or a finger, which was required.
    case userNotVerified
    /// A kind of key, or an algorithm, that was not offered.
    case unsupportedKey
    /// An attestation of a format that was not asked for.
    case unsupportedAttestation
    /// The attestation's signature does not hold.
    case attestationInvalid
    /// The assertion's signature does not hold.
    case signatureInvalid
    /// The counter did not grow: the authenticator may have been cloned.
    case signCountStale
    /// Whether the key may be backed up changed, which it cannot.
    case backupEligibilityChanged
}

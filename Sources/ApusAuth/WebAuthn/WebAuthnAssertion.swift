package import ApusJSON
import Crypto

/// Proof that somebody holds a credential (WebAuthn §7.2), not yet checked.
package struct WebAuthnAssertion: Sendable {
    package let credentialID: [UInt8]
    /// The user's id as it was given at registration; nil when the authenticator sends none.
    package let userHandle: [UInt8]?
    private let clientData: [UInt8]
    private let authenticatorData: [UInt8]
    private let signature: [UInt8]

    /// Reads an `AuthenticationResponseJSON` (WebAuthn §5.1.8).
    package init(response: JSONObject) throws(WebAuthnFault) {
        let credential = try WebAuthnCredentialJSON(response)
        guard let clientData = credential.bytes("clientDataJSON"),
            let authenticatorData = credential.bytes("authenticatorData"),
            let signature = credential.bytes("signature")
        else { throw .malformed }
        credentialID = credential.id
        userHandle = credential.bytes("userHandle").flatMap { $0.isEmpty ? nil : $0 }
        self.clientData = clientData
        self.authenticatorData = authenticatorData
        self.signature = signature
    }

    /// What is kept of a credential.
    package struct Credential: Sendable {
        /// COSE_Key.
        package var publicKey: [UInt8]
        package var signCount: UInt32
        /// nil: not known.
        package var isBackupEligible: Bool?

        package init(publicKey: [UInt8], signCount: UInt32, isBackupEligible: Bool?) {
            self.publicKey = publicKey
            self.signCount = signCount
            self.isBackupEligible = isBackupEligible
        }
    }

    /// What is to be kept after a check that held.
    package struct Outcome: Sendable, Equatable {
        package let signCount: UInt32
        package let isBackedUp: Bool
    }

    /// Checks the proof against the credential and the options that were sent.
    ///
    /// - Throws: what is wrong with it.
    package func check(
        _ credential: Credential, challenge: [UInt8], relyingParty: RelyingParty,
        requiresUserVerification: Bool
    ) throws(WebAuthnFault) -> Outcome {
        try ClientData.check(clientData, is: .get, challenge: challenge, relyingParty: relyingParty)
        let data = try AuthenticatorData(authenticatorData)
        guard data.isFor(relyingParty.id) else { throw .wrongRelyingParty }
        guard data.isUserPresent else { throw .userNotPresent }
        guard data.isUserVerified || !requiresUserVerification else { throw .userNotVerified }
        guard let cose = try? CBORReader.read(credential.publicKey), let key = CredentialKey(cose: cose)
        else {
            throw .unsupportedKey
        }
        guard key.isValid(signature, for: authenticatorData + Array(SHA256.hash(data: clientData))) else {
            throw .signatureInvalid
        }
        if let known = credential.isBackupEligible, known != data.isBackupEligible {
            throw .backupEligibilityChanged
        }
        // Authenticators without a counter send zero for ever (WebAuthn §6.1.1).
        guard data.signCount == 0 && credential.signCount == 0 || data.signCount > credential.signCount else {
            throw .signCountStale
        }
        return Outcome(signCount: data.signCount, isBackedUp: data.isBackedUp)
    }
}

package import ApusJSON
import ApusTokens
import Crypto

/// A new credential, checked (WebAuthn §7.1).
package struct WebAuthnRegistration: Sendable, Equatable {
    package let credentialID: [UInt8]
    /// COSE_Key, to be kept.
    package let publicKey: [UInt8]
    /// The authenticator's model, 16 bytes; all zero when it does not say.
    package let aaguid: [UInt8]
    /// `none` or `packed`. Nothing is trusted on its account: no roots are kept.
    package let attestationType: String
    package let signCount: UInt32
    package let transports: [String]
    package let isBackupEligible: Bool
    package let isBackedUp: Bool

    /// Checks a `RegistrationResponseJSON` (WebAuthn §5.1.8) against the options that were sent.
    ///
    /// - Throws: what is wrong with it.
    package init(
        response: JSONObject, challenge: [UInt8], relyingParty: RelyingParty, requiresUserVerification: Bool
    ) throws(WebAuthnFault) {
        let credential = try WebAuthnCredentialJSON(response)
        guard let clientData = credential.bytes("clientDataJSON"),
            let attestation = credential.bytes("attestationObject"),
            let object = try? CBORReader.read(attestation), let authData = object["authData"]?.bytes,
            let format = object["fmt"]?.text, let statement = object["attStmt"]
        else { throw .malformed }
        try ClientData.check(clientData, is: .create, challenge: challenge, relyingParty: relyingParty)
        let data = try AuthenticatorData(authData)
        guard data.isFor(relyingParty.id) else { throw .wrongRelyingParty }
        guard data.isUserPresent else { throw .userNotPresent }
        guard data.isUserVerified || !requiresUserVerification else { throw .userNotVerified }
        guard let made = data.credential, made.id == credential.id else { throw .malformed }
        let signed = authData + Array(SHA256.hash(data: clientData))
        try Attestation.check(format: format, statement: statement, signed: signed, key: made.key)
        credentialID = made.id
        publicKey = made.publicKey
        aaguid = made.aaguid
        attestationType = format
        signCount = data.signCount
        transports = credential.transports
        isBackupEligible = data.isBackupEligible
        isBackedUp = data.isBackedUp
    }
}

/// The outer form of a response: `id`, `rawId`, `type` and `response`.
struct WebAuthnCredentialJSON {
    let id: [UInt8]
    private let response: JSONObject

    init(_ json: JSONObject) throws(WebAuthnFault) {
        guard json["type"]?.text == "public-key", let text = json["id"]?.text,
            let id = Base64URL.decode(text.utf8),
            !id.isEmpty, let response = json["response"]?.object
        else { throw .malformed }
        if let raw = json["rawId"]?.text, Base64URL.decode(raw.utf8) != id { throw .malformed }
        self.id = id
        self.response = response
    }

    /// Bytes of a member of `response`.
    func bytes(_ name: String) -> [UInt8]? { response[name]?.text.flatMap { Base64URL.decode($0.utf8) } }

    /// Ways to reach the authenticator: hints, so unknown ones stay and odd ones go.
    var transports: [String] {
        let texts = (response["transports"]?.array ?? []).compactMap { $0.text }
        return Array(texts.filter { $0.utf8.count <= 32 && !$0.utf8.contains(0) }.prefix(8))
    }
}

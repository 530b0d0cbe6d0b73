import ApusJSON
import ApusTokens

/// Who credentials are for (WebAuthn §4): an id (a domain) and the pages' origins that may use it.
package struct RelyingParty: Sendable, Equatable {
    /// A domain, for instance `example.com`; credentials hold for it and for the domains below it.
    package let id: String
    /// Shown by some authenticators.
    package let name: String
    /// `https://example.com`, `android:apk-key-hash:…`.
    package let origins: [String]

    package init(id: String, name: String, origins: [String]) {
        self.id = id
        self.name = name
        self.origins = origins
    }
}

/// What the browser says that it asked the authenticator for (WebAuthn §5.8.1), read from its JSON.
struct ClientData: Sendable {
    enum Ceremony: String {
        case create = "webauthn.create"
        case get = "webauthn.get"
    }

    /// - Throws: when the client data is not of this ceremony, challenge and relying party.
    static func check(
        _ json: [UInt8], is ceremony: Ceremony, challenge: [UInt8], relyingParty: RelyingParty
    ) throws(WebAuthnFault) {
        guard let object = try? JSONReader.read(json).object else { throw .malformed }
        guard object["type"]?.text == ceremony.rawValue else { throw .wrongCeremony }
        guard let text = object["challenge"]?.text, let signed = Base64URL.decode(text.utf8),
            ConstantTime.equal(signed, challenge)
        else { throw .wrongChallenge }
        guard let origin = object["origin"]?.text, relyingParty.origins.contains(origin) else {
            throw .wrongOrigin
        }
        // A page inside a page of somebody else's (WebAuthn §5.8.1, crossOrigin) could be made to be clicked.
        guard object["crossOrigin"] ?? .bool(false) == .bool(false) else { throw .wrongOrigin }
    }
}

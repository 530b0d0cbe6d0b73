package import ApusJSON
import ApusTokens
import Crypto
import CryptoExtras
import Foundation

/// An authenticator in software that can do every step wrong.
package struct SoftAuthenticator: Sendable {
    package enum Kind: CaseIterable, Sendable { case es256, rs256, eddsa }

    package var kind = Kind.es256
    package var relyingParty = "example.com"
    package var origin = "https://example.com"
    /// User present, user verified.
    package var flags: UInt8 = 0x05
    package var signCount: UInt32 = 1
    package var format = "none"
    package var userHandle: [UInt8] = Array("u1".utf8)
    package let id: [UInt8] = (0..<16).map { _ in UInt8.random(in: 0...255) }
    private let p256 = P256.Signing.PrivateKey()
    private let ed25519 = Curve25519.Signing.PrivateKey()
    /// Made when it is needed: it takes a while.
    private let rsa: Result<_RSA.Signing.PrivateKey, any Error>

    package init(kind: Kind = .es256, format: String = "none") {
        self.kind = kind
        self.format = format
        rsa = Result {
            guard kind == .rs256 else { throw NoKey() }
            return try _RSA.Signing.PrivateKey(keySize: .bits2048)
        }
    }

    private struct NoKey: Error {}

    /// A `RegistrationResponseJSON`.
    package func register(_ challenge: [UInt8], type: String = "webauthn.create") throws -> JSONObject {
        let client = clientData(type, challenge)
        let cose = try publicKey()
        var data = authenticatorData(flags | 0x40)
        data += [UInt8](repeating: 0, count: 16) + [0, UInt8(id.count)] + id + cose
        var statement: [UInt8] = [0xA0]
        if format == "packed" {
            let signature = try sign(data + Array(SHA256.hash(data: client)))
            statement = [0xA2] + text("alg") + algorithm() + text("sig") + bytes(signature)
        }
        let object =
            [0xA3] + text("fmt") + text(format) + text("attStmt") + statement + text("authData") + bytes(data)
        return response(["clientDataJSON": client, "attestationObject": object])
    }

    /// An `AuthenticationResponseJSON`.
    package func assert(_ challenge: [UInt8], type: String = "webauthn.get") throws -> JSONObject {
        let client = clientData(type, challenge)
        let data = authenticatorData(flags)
        return response([
            "clientDataJSON": client, "authenticatorData": data,
            "signature": try sign(data + Array(SHA256.hash(data: client))), "userHandle": userHandle,
        ])
    }

    // MARK: - Non public

    private func response(_ members: [String: [UInt8]]) -> JSONObject {
        var inner = JSONObject()
        for (name, value) in members { inner[name] = .string(Base64URL.encode(value)) }
        let id = JSONValue.string(Base64URL.encode(self.id))
        return ["id": id, "rawId": id, "type": .string("public-key"), "response": .object(inner)]
    }

    private func clientData(_ type: String, _ challenge: [UInt8]) -> [UInt8] {
        JSONValue.object([
            "type": .string(type), "challenge": .string(Base64URL.encode(challenge)),
            "origin": .string(origin), "crossOrigin": .bool(false),
        ]).bytes
    }

    private func authenticatorData(_ flags: UInt8) -> [UInt8] {
        Array(SHA256.hash(data: Data(relyingParty.utf8))) + [flags]
            + withUnsafeBytes(of: signCount.bigEndian) { Array($0) }
    }

    private func algorithm() -> [UInt8] {
        switch kind {
        case .es256: [0x26]
        case .eddsa: [0x27]
        case .rs256: [0x39, 0x01, 0x00]
        }
    }

    private func publicKey() throws -> [UInt8] {
        switch kind {
        case .es256:
            let point = Array(p256.publicKey.rawRepresentation)
            return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21] + bytes(Array(point[0..<32])) + [0x22]
                + bytes(Array(point[32...]))
        case .eddsa:
            return [0xA4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21]
                + bytes(Array(ed25519.publicKey.rawRepresentation))
        case .rs256:
            let key = try rsa.get().publicKey.getKeyPrimitives()
            return [0xA4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20] + bytes(Array(key.modulus)) + [0x21]
                + bytes(Array(key.publicExponent))
        }
    }

    private func sign(_ message: [UInt8]) throws -> [UInt8] {
        switch kind {
        case .es256: Array(try p256.signature(for: message).derRepresentation)
        case .eddsa: Array(try ed25519.signature(for: message))
        case .rs256:
            Array(
                try rsa.get().signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
                    .rawRepresentation)
        }
    }

    private func text(_ text: String) -> [UInt8] { [0x60 | UInt8(text.utf8.count)] + Array(text.utf8) }

    private func bytes(_ bytes: [UInt8]) -> [UInt8] {
        [0x59, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
    }
}

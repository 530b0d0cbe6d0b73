import Crypto
import CryptoExtras

/// Firebase's own way of keeping passwords ("modified scrypt"): scrypt makes a key of password and salt, and the
/// hash is a project-wide signer key encrypted with it. Described at https://github.com/firebase/scrypt.
package struct FirebaseScrypt: Sendable, Equatable {
    /// What a Firebase project's console shows as its password hash parameters.
    package struct Parameters: Sendable, Equatable {
        /// `base64_signer_key`, decoded.
        package let signerKey: [UInt8]
        /// `base64_salt_separator`, decoded.
        package let saltSeparator: [UInt8]
        /// scrypt's r, 1…16.
        package let rounds: Int
        /// log2 of scrypt's N, 1…17: at r = 8, the top takes 128 MiB a check.
        package let memoryCost: Int

        /// nil for parameters out of bounds.
        package init?(signerKey: [UInt8], saltSeparator: [UInt8], rounds: Int, memoryCost: Int) {
            guard (16...256).contains(signerKey.count), saltSeparator.count <= 64, (1...16).contains(rounds),
                (1...17).contains(memoryCost)
            else { return nil }
            self.signerKey = signerKey
            self.saltSeparator = saltSeparator
            self.rounds = rounds
            self.memoryCost = memoryCost
        }

        /// Bytes that one check takes (RFC 7914 §2).
        package var memory: Int { 128 * rounds << memoryCost }
    }

    package let parameters: Parameters
    package let salt: [UInt8]
    package let hash: [UInt8]

    package init(parameters: Parameters, salt: [UInt8], hash: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.hash = hash
    }

    /// Whether this is the hash of `password`. Takes tens of milliseconds and ``Parameters/memory``: never call it
    /// on an event loop.
    package func verify(_ password: [UInt8]) -> Bool {
        guard let made = Self.hash(password, salt: salt, parameters) else { return false }
        return ConstantTime.equal(made, hash)
    }

    /// The hash of a password; nil when scrypt refuses, for want of memory.
    package static func hash(_ password: [UInt8], salt: [UInt8], _ parameters: Parameters) -> [UInt8]? {
        guard
            let key = try? KDF.Scrypt.deriveKey(
                from: password, salt: salt + parameters.saltSeparator, outputByteCount: 32,
                rounds: 1 << parameters.memoryCost, blockSize: parameters.rounds, parallelism: 1,
                maxMemory: parameters.memory + 1 << 20),
            let nonce = try? AES._CTR.Nonce(nonceBytes: [UInt8](repeating: 0, count: 16)),
            let sealed = try? AES._CTR.encrypt(parameters.signerKey, using: key, nonce: nonce)
        else { return nil }
        return Array(sealed)
    }
}

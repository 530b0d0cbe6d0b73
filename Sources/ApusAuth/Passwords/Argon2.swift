import ApusTokens
import CArgon2
import CSodium
import Crypto

/// Argon2 (RFC 9106) and its PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
///
/// What we make ourselves is computed by libsodium, which uses the processor's vectors and takes about half as long as the
/// reference implementation; hashes of other systems, with more lanes or other salts, by the latter.
enum Argon2 {
    /// What a PHC string says.
    struct Parameters {
        let isID: Bool
        let cost: PasswordHasher.Cost
        let salt: [UInt8]
        let digest: [UInt8]

        /// nil for another kind of hash, another version, and for a cost that nobody should be made to pay: an
        /// imported hash must not be able to exhaust the memory.
        init?(_ phc: String) {
            let parts = phc.split(separator: "$", omittingEmptySubsequences: false)
            guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id" || parts[1] == "argon2i",
                parts[2] == "v=19"
            else { return nil }
            isID = parts[1] == "argon2id"
            var numbers: [Substring: UInt32] = [:]
            for item in parts[3].split(separator: ",") {
                let pair = item.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, let number = UInt32(pair[1]) else { return nil }
                numbers[pair[0]] = number
            }
            guard let memory = numbers["m"], let passes = numbers["t"], let lanes = numbers["p"],
                (8...262_144).contains(memory), (1...20).contains(passes), (1...16).contains(lanes),
                memory >= 8 * lanes,
                let salt = Base64URL.decodeLeniently(parts[4].utf8), (8...64).contains(salt.count),
                let digest = Base64URL.decodeLeniently(parts[5].utf8), (16...64).contains(digest.count)
            else { return nil }
            cost = .init(memory: memory, passes: passes, lanes: lanes)
            self.salt = salt
            self.digest = digest
        }
    }

    /// A PHC string with a new salt; nil when the library has no memory.
    static func hash(_ password: [UInt8], _ cost: PasswordHasher.Cost) -> String? {
        let salt = RandomBytes.make(16)
        return digest(password, salt, cost, isID: true, length: 32).map { encode(salt, $0, cost) }
    }

    static func verify(_ password: [UInt8], _ parameters: Parameters) -> Bool {
        guard
            let digest = digest(
                password, parameters.salt, parameters.cost, isID: parameters.isID,
                length: parameters.digest.count)
        else { return false }
        return ConstantTime.equal(digest, parameters.digest)
    }

    static func encode(_ salt: [UInt8], _ digest: [UInt8], _ cost: PasswordHasher.Cost) -> String {
        let parameters = "m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)"
        return "$argon2id$v=19$\(parameters)$\(Base64.encode(salt))$\(Base64.encode(digest))"
    }

    /// Chooses the implementation for this processor, once.
    private static let hasSodium = sodium_init() >= 0

    private static func digest(
        _ password: [UInt8], _ salt: [UInt8], _ cost: PasswordHasher.Cost, isID: Bool, length: Int
    ) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: length)
        if isID, cost.lanes == 1, salt.count == Int(crypto_pwhash_argon2id_SALTBYTES), hasSodium {
            let status = crypto_pwhash_argon2id(
                &digest, UInt64(length), password.map { CChar(bitPattern: $0) }, UInt64(password.count), salt,
                UInt64(cost.passes), Int(cost.memory) * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13)
            // It refuses what is below its bounds; the other one may still take it.
            if status == 0 { return digest }
        }
        let function = isID ? argon2id_hash_raw : argon2i_hash_raw
        let status = function(
            cost.passes, cost.memory, cost.lanes, password, password.count, salt, salt.count, &digest, length)
        return status == ARGON2_OK.rawValue ? digest : nil
    }
}

/// Base64 without padding, as PHC strings have it (RFC 4648, 4).
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
    }
}

/// Comparison in time that depends on the length only.
package enum ConstantTime {
    package static func equal(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

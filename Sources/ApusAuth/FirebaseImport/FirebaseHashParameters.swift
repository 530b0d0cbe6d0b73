import ApusJSON

/// Reads the file of `--hash-parameters`: what the Firebase console shows under "Password hash parameters", as it
/// is copied from there, or the same names and values as JSON.
package enum FirebaseHashParameters {
    package enum Unusable: Error, Sendable, Equatable {
        case missing(String)
        /// Other algorithms come from systems that fed Firebase; Apus cannot check them here.
        case algorithm(String)
        case malformed(String)
    }

    package static func read(_ bytes: [UInt8]) throws(Unusable) -> FirebaseScrypt.Parameters {
        let values = values(bytes)
        func value(_ name: String) throws(Unusable) -> String {
            guard let value = values[name], !value.isEmpty else { throw .missing(name) }
            return value
        }
        let algorithm = try value("algorithm").uppercased()
        guard algorithm == "SCRYPT" else { throw .algorithm(algorithm) }
        guard let signerKey = Base64Text.decode(try value("base64_signer_key")), signerKey.count >= 32 else {
            throw .malformed("base64_signer_key")
        }
        guard let separator = Base64Text.decode(values["base64_salt_separator"] ?? "") else {
            throw .malformed("base64_salt_separator")
        }
        guard let rounds = Int(try value("rounds")) else { throw .malformed("rounds") }
        guard let memoryCost = Int(try value("mem_cost")) else { throw .malformed("mem_cost") }
        guard
            let parameters = FirebaseScrypt.Parameters(
                signerKey: signerKey, saltSeparator: separator, rounds: rounds, memoryCost: memoryCost)
        else { throw .malformed("rounds, mem_cost") }
        return parameters
    }

    private static func values(_ bytes: [UInt8]) -> [String: String] {
        if let object = try? JSONReader.read(bytes).object {
            let inner = object["hash_config"]?.object ?? object
            return Dictionary(
                inner.members.compactMap { member in
                    switch member.value {
                    case .string(let text), .number(let text): (member.name, text)
                    default: nil
                    }
                }, uniquingKeysWith: { $1 })
        }
        // `name: value,` by lines, inside `hash_config {` and `}`.
        var values: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let noise: (Character) -> Bool = { $0.isWhitespace || $0 == "," || $0 == "\"" }
            let name = line[..<colon].drop(while: noise)
            var value = line[line.index(after: colon)...].drop(while: noise)
            while let last = value.last, noise(last) { value.removeLast() }
            values[name.filter { !noise($0) }] = String(value)
        }
        return values
    }
}

/// An authenticator's statement about itself (WebAuthn §8): `none`, and `packed` with the credential's own key or
/// with a certificate, whose chain nobody looks at, because Apus asks for none and trusts no maker's roots.
enum Attestation {
    /// - Parameter signed: authenticator data and the hash of the client data.
    static func check(
        format: String, statement: CBORValue, signed: [UInt8], key: CredentialKey
    ) throws(WebAuthnFault) {
        switch format {
        case "none":
            guard statement == .map([]) else { throw .attestationInvalid }
        case "packed":
            guard let algorithm = statement["alg"]?.integer, let signature = statement["sig"]?.bytes else {
                throw .malformed
            }
            var signer: CredentialKey? = algorithm == key.algorithm ? key : nil
            if let certificates = statement["x5c"] {
                guard let leaf = certificates.array?.first?.bytes else { throw .malformed }
                signer = DERCertificate.subjectPublicKeyInfo(of: leaf)
                    .flatMap { CredentialKey(subjectPublicKeyInfo: $0, algorithm: algorithm) }
            }
            guard let signer, signer.isValid(signature, for: signed) else { throw .attestationInvalid }
        default: throw .unsupportedAttestation
        }
    }
}

/// As much of X.509 (RFC 5280 §4.1) as it takes to find the public key.
enum DERCertificate {
    /// The SubjectPublicKeyInfo, with its header; nil for what is no certificate.
    static func subjectPublicKeyInfo(of certificate: [UInt8]) -> [UInt8]? {
        guard let outer = element(certificate, at: 0), outer.tag == 0x30,
            let body = element(certificate, at: outer.content.lowerBound), body.tag == 0x30
        else { return nil }
        var position = body.content.lowerBound
        // An optional version, then serial number, algorithm, issuer, validity and subject.
        var toSkip = certificate.indices.contains(position) && certificate[position] == 0xA0 ? 6 : 5
        while toSkip > 0 {
            guard let skipped = element(certificate, at: position) else { return nil }
            position = skipped.content.upperBound
            toSkip -= 1
        }
        guard let key = element(certificate, at: position), key.tag == 0x30,
            key.content.upperBound <= body.content.upperBound
        else { return nil }
        return Array(certificate[position..<key.content.upperBound])
    }

    private static func element(_ bytes: [UInt8], at start: Int) -> (tag: UInt8, content: Range<Int>)? {
        guard start + 2 <= bytes.count else { return nil }
        var position = start + 2
        var length = Int(bytes[start + 1])
        if length >= 0x80 {
            let count = length - 0x80
            guard (1...3).contains(count), position + count <= bytes.count else { return nil }
            length = bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
            position += count
        }
        guard position + length <= bytes.count else { return nil }
        return (bytes[start], position..<position + length)
    }
}

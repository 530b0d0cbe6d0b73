import ApusJSON

/// A JWS in compact form (RFC 7515, 7.1), taken apart and not yet believed.
struct CompactToken {
    let algorithm: SignatureAlgorithm
    /// `kid` of the header: which key the issuer says it used.
    let keyID: String?
    /// `typ` of the header (RFC 7515 §4.1.9).
    let type: String?
    /// What the signature covers: the first two parts with the dot between them.
    let signed: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    /// Throws `.unexpectedParts`, `.malformed` or `.unsecured`. The payload stays bytes: nothing in it is looked at
    /// before the signature held.
    init(_ token: UnsafeRawBufferPointer) throws(TokenFault) {
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .unexpectedParts(parts.count) }
        guard let header = Base64URL.decode(parts[0]) else { throw .malformed }
        (algorithm, keyID, type) = try Self.readHeader(header)
        guard let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]) else {
            throw .malformed
        }
        self.payload = payload
        self.signature = signature
        signed = Array(token[..<parts[1].endIndex])
    }

    private static func readHeader(
        _ bytes: [UInt8]
    ) throws(TokenFault) -> (SignatureAlgorithm, String?, String?) {
        guard let header = try? JSONReader.read(bytes).object, let name = header["alg"]?.text else {
            throw .malformed
        }
        if name == "none" { throw .unsecured }
        // A header with `enc` is an encrypted token (RFC 7516); one with `crit` names extensions that must be
        // understood, and none is.
        guard header["enc"] == nil, header["crit"] == nil, let algorithm = SignatureAlgorithm(rawValue: name)
        else { throw .malformed }
        switch header["kid"] {
        case nil, .null: return (algorithm, nil, header["typ"]?.text)
        case .string(let id): return (algorithm, id, header["typ"]?.text)
        default: throw .malformed
        }
    }
}

import ApusJSON

/// Judges the registered claims (RFC 7519, 4.1) in PostgREST's order: the first that fails is the answer.
struct ClaimsCheck: Sendable {
    /// What `aud` must be or hold; nil: any.
    let audience: String?

    /// The time in which the claims hold, `now` being part of it. A claim that is absent or null asks for nothing.
    func validity(of claims: JSONObject, at now: Int64) throws(TokenFault) -> Validity {
        var validity = Validity()
        if let number = try number("exp", claims, else: .expirationNotNumber) {
            guard let seconds = NumericDate.seconds(number) else { throw .expired }
            validity.expires = seconds
        }
        try validity.check(at: now)
        if let number = try number("nbf", claims, else: .notBeforeNotNumber) {
            guard let seconds = NumericDate.seconds(number) else { throw .notYetValid }
            validity.notBefore = seconds
        }
        try validity.check(at: now)
        if let number = try number("iat", claims, else: .issuedAtNotNumber) {
            guard let seconds = NumericDate.seconds(number) else { throw .issuedInFuture }
            validity.issuedAt = seconds
        }
        try validity.check(at: now)
        try checkAudience(of: claims)
        return validity
    }

    private func number(
        _ name: String, _ claims: JSONObject, else fault: TokenFault
    ) throws(TokenFault) -> String? {
        switch claims[name] {
        case nil, .null: return nil
        case .number(let number): return number
        default: throw fault
        }
    }

    /// An empty list is for everybody, as PostgREST has it; an empty string is for nobody.
    private func checkAudience(of claims: JSONObject) throws(TokenFault) {
        var named: [String] = []
        switch claims["aud"] {
        case nil, .null: return
        case .string(let name): named = [name]
        case .array(let elements):
            for element in elements {
                guard let name = element.text else { throw .audienceNotText }
                named.append(name)
            }
            if named.isEmpty { return }
        default: throw .audienceNotText
        }
        if let audience, !named.contains(where: { $0.utf8.elementsEqual(audience.utf8) }) {
            throw .notInAudience
        }
    }
}

extension FirebaseScrypt {
    /// GoTrue's text of such a hash:
    /// `$fbscrypt$v=1,n=14,r=8,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>`, with base64 in it.
    ///
    /// Apus writes `kid=` and the name of a stored signer key in place of `sk=`, so that the project's key is not in
    /// every row; ``init(text:signerKey:)`` asks for it.
    package static let prefix = "$fbscrypt$"

    /// Reads either text. nil when it is neither, when a number is out of bounds, or when nobody knows the key.
    ///
    /// - Parameter signerKey: finds the key of a `kid`.
    package init?(text: String, signerKey: (String) -> [UInt8]?) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, let salt = Base64Text.decode(parts[1]),
            let hash = Base64Text.decode(parts[2]),
            !hash.isEmpty
        else { return nil }
        var fields: [Substring: Substring] = [:]
        for field in parts[0].split(separator: ",") {
            guard let equals = field.firstIndex(of: "=") else { return nil }
            let name = field[..<equals]
            guard fields.updateValue(field[field.index(after: equals)...], forKey: name) == nil else {
                return nil
            }
        }
        guard fields["v"] == "1", fields["p"] == "1", let memoryCost = fields["n"].flatMap({ Int($0) }),
            let rounds = fields["r"].flatMap({ Int($0) }),
            let separator = Base64Text.decode(fields["ss"] ?? ""),
            let key = fields["sk"].map({ Base64Text.decode($0) }) ?? fields["kid"].map({
                signerKey(String($0))
            })
                ?? nil,
            let parameters = Parameters(
                signerKey: key, saltSeparator: separator, rounds: rounds, memoryCost: memoryCost)
        else { return nil }
        self.init(parameters: parameters, salt: salt, hash: hash)
    }

    /// The text with the signer key left out and named.
    package func text(keyID: String) -> String {
        Self.prefix + "v=1,n=\(parameters.memoryCost),r=\(parameters.rounds),p=1,"
            + "ss=\(Base64Text.encode(parameters.saltSeparator)),kid=\(keyID)$\(Base64Text.encode(salt))$\(Base64Text.encode(hash))"
    }
}

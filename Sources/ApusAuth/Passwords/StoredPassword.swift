/// Checks a password against whatever form its hash has: ours, or one that came with imported users.
enum StoredPassword {
    /// Blocks for as long as the hash takes.
    ///
    /// - Parameter signerKeys: for hashes of Firebase's users, already prepared.
    static func verify(_ password: [UInt8], _ hash: String, _ signerKeys: SignerKeys = .none) -> Bool {
        if let parameters = Argon2.Parameters(hash) { return Argon2.verify(password, parameters) }
        if let bcrypt = BcryptHash(hash) { return bcrypt.verify(password) }
        return FirebaseScrypt(text: hash) { signerKeys[$0] }?.verify(password) ?? false
    }

    /// Whether ``verify(_:_:_:)`` knows the form.
    static func isKnown(_ hash: String) -> Bool {
        Argon2.Parameters(hash) != nil || BcryptHash(hash) != nil
            || FirebaseScrypt(text: hash) { _ in [UInt8](repeating: 0, count: 64) } != nil
    }
}

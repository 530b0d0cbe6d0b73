/// Checks a password against whatever form its hash has: ours, or one that came with imported users.
enum StoredPassword {
    /// Blocks for as long as the hash takes.
    static func verify(_ password: [UInt8], _ hash: String) -> Bool {
        if let parameters = Argon2.Parameters(hash) { return Argon2.verify(password, parameters) }
        return false
    }

    /// Whether ``verify(_:_:)`` knows the form.
    static func isKnown(_ hash: String) -> Bool { Argon2.Parameters(hash) != nil }
}

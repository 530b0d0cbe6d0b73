package import Crypto

/// Seals what a message says while it waits in the database: whoever reads the table, or a backup of it, learns no
/// code and no link. A payload opens only together with the message's id, so it cannot be moved to another row.
package struct MessageSeal: Sendable {
    let seal: @Sendable (_ bytes: [UInt8], _ id: String) throws -> [UInt8]
    /// nil when another key sealed it, or somebody changed it.
    let open: @Sendable (_ sealed: [UInt8], _ id: String) -> [UInt8]?

    /// - Parameters:
    ///   - seal: encrypts and authenticates bytes together with an id.
    ///   - open: undoes it; nil for what it did not make.
    package init(
        seal: @escaping @Sendable (_ bytes: [UInt8], _ id: String) throws -> [UInt8],
        open: @escaping @Sendable (_ sealed: [UInt8], _ id: String) -> [UInt8]?
    ) {
        self.seal = seal
        self.open = open
    }

    /// AES-256-GCM (NIST SP 800-38D) with a random nonce and a key of 32 bytes.
    package init(key: SymmetricKey) {
        self.init { bytes, id in
            let box = try AES.GCM.seal(bytes, using: key, authenticating: Array(id.utf8))
            // The default nonce has the length with which there is a combined form.
            return box.combined.map { Array($0) } ?? []
        } open: { sealed, id in
            guard let box = try? AES.GCM.SealedBox(combined: sealed) else { return nil }
            return (try? AES.GCM.open(box, using: key, authenticating: Array(id.utf8))).map { Array($0) }
        }
    }
}

import Crypto

/// What is known of a key that an app or a backend comes with instead of a token: everything but the key.
///
/// The key itself is `sb_publishable_` or `sb_secret_` and 256 random bits in base64url, the form that clients of GoTrue
/// know. Only its SHA-256 is kept: nothing that is as random as this needs a slow hash.
package struct APIKey: Sendable, Equatable {
    package let id: String
    package let name: String
    /// The role of requests that come with it.
    package let role: String
    /// SHA-256 of the key.
    package let digest: [UInt8]
    /// Seconds since 1970; nil: without end.
    package let expires: Int64?

    package init(id: String, name: String, role: String, digest: [UInt8], expires: Int64?) {
        self.id = id
        self.name = name
        self.role = role
        self.digest = digest
        self.expires = expires
    }

    // MARK: - The key itself

    private static let mark = "sb_"
    private static let secretMark = "sb_secret_"
    private static let publishableMark = "sb_publishable_"

    /// A new key. That of the anonymous role may be in every copy of an app; every other one is a secret.
    package static func make(isPublishable: Bool) -> String {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return (isPublishable ? publishableMark : secretMark) + Base64URL.encode(bytes)
    }

    /// Whether a text is such a key by its form, and no token.
    package static func isKey(_ text: some StringProtocol) -> Bool { text.hasPrefix(mark) }

    /// Whether a text is a key that must not be in a browser.
    package static func isSecret(_ text: some StringProtocol) -> Bool { text.hasPrefix(secretMark) }

    /// Whether these bytes are such a key by their form. Asked of every token, so one byte mostly decides.
    static func isKey(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first == UInt8(ascii: "s") && bytes.starts(with: mark.utf8)
    }

    /// What is kept of a key.
    package static func digest(of key: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(key)))
    }
}

import Crypto

/// Signs a request as Standard Webhooks 1.0 does: HMAC-SHA256 over id, time and body, so that the receiver knows who
/// sent it, that nobody changed it and that it is not an old one again.
package struct StandardWebhook: Sendable {
    private let key: SymmetricKey

    /// - Parameter secret: `whsec_` and base64 of 24 to 64 bytes; GoTrue's `v1,whsec_…` too. nil for anything else.
    package init?(secret: String) {
        var text = secret[...]
        if text.hasPrefix("v1,") { text = text.dropFirst(3) }
        guard text.hasPrefix("whsec_"), let bytes = Base64.decode(String(text.dropFirst(6))),
            (24...64).contains(bytes.count)
        else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The three header fields.
    ///
    /// - Parameter seconds: since 1970.
    package func fields(id: String, seconds: Int, body: [UInt8]) -> [(name: String, value: String)] {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: key)
        return [
            ("webhook-id", id), ("webhook-timestamp", "\(seconds)"),
            ("webhook-signature", "v1,\(Base64.encode(Array(code)))"),
        ]
    }
}

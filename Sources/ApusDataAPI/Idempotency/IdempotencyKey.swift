/// Names one intended effect, so that a request that is sent again does not take effect again
/// (draft-ietf-httpapi-idempotency-key-header).
package struct IdempotencyKey: Sendable {
    /// Who the key belongs to: callers do not share keys.
    package var scope: String
    /// What the client sent.
    package var key: String
    /// Digest of everything that makes the request what it is; another request under the same key is refused.
    package var fingerprint: [UInt8]
    /// How long the answer is kept, seconds.
    package var lifetime: Int

    package init(scope: String, key: String, fingerprint: [UInt8], lifetime: Int) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
        self.lifetime = lifetime
    }
}

/// An answer as it was given, to be given again.
package struct StoredAnswer: Sendable {
    package var status: Int
    /// Names and values, in order.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// Whether it was read back rather than made now.
    package var isReplay: Bool

    package init(status: Int, fields: [(name: String, value: String)], body: [UInt8], isReplay: Bool = false)
    {
        self.status = status
        self.fields = fields
        self.body = body
        self.isReplay = isReplay
    }
}

/// Seconds since 1970-01-01T00:00:00Z without leap seconds (RFC 7519, 2).
struct NumericDate {
    /// nil when the number is beyond what 64 bits hold; the caller then refuses the token. A fraction is cut off.
    static func seconds(_ number: String) -> Int64? {
        if let exact = Int64(number) { return exact }
        guard let value = Double(number), value.isFinite else { return nil }
        return Int64(exactly: value.rounded(.down))
    }
}

/// Finds the token in an `Authorization` field's value (RFC 6750, 2.1).
package enum BearerToken {
    /// The token after the scheme `Bearer`, in any case; empty when nothing follows it. nil when the scheme is
    /// another one, which PostgREST takes as no token at all.
    package static func inAuthorization(_ value: String) -> Substring? {
        let scheme = value.utf8.prefix { $0 != 0x20 && $0 != 0x09 }
        guard scheme.count == 6, zip(scheme, "bearer".utf8).allSatisfy({ $0 | 0x20 == $1 }) else {
            return nil
        }
        return value[scheme.endIndex...].drop { $0 == " " || $0 == "\t" }
    }
}

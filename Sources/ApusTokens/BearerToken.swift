/// Finds the token in an `Authorization` field's value (RFC 6750, 2.1).
package enum BearerToken {
    /// The token after the scheme `Bearer`, in any case; empty when nothing follows it. nil when the scheme is
    /// another one, which PostgREST takes as no token at all.
    package static func inAuthorization(_ value: String) -> Substring? {
        var value = value
        // Over plain bytes: this runs for every request.
        guard let start = value.withUTF8({ startOfToken($0) }) else { return nil }
        return value[value.utf8.index(value.startIndex, offsetBy: start)...]
    }

    private static func startOfToken(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let scheme: StaticString = "bearer"
        var position = scheme.utf8CodeUnitCount
        guard bytes.count >= position else { return nil }
        for index in 0..<position where bytes[index] | 0x20 != scheme.utf8Start[index] { return nil }
        guard position == bytes.count || isSpace(bytes[position]) else { return nil }
        while position < bytes.count, isSpace(bytes[position]) { position += 1 }
        return position
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

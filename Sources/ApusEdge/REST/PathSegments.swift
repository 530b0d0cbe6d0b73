import ApusFaults

/// Splits the path of a request into decoded segments (RFC 3986 §3.3).
enum PathSegments {
    /// The segments below `prefix`; a slash at the end adds none.
    ///
    /// - Throws: PGRST125 for a percent sign without two digits, and for what is no UTF-8.
    static func read(_ path: Substring, below prefix: String) throws(Fault) -> [String] {
        let rest = path.utf8.dropFirst(prefix.utf8.count)
        var segments: [String] = []
        for segment in rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true) {
            guard segment.contains(UInt8(ascii: "%")) else {
                segments.append(String(Substring(segment)))
                continue
            }
            guard let decoded = decode(segment) else {
                throw Fault(
                    code: "PGRST125", kind: .notFound, message: "Invalid path specified in request URL",
                    hint: "Encode the path as UTF-8 in percent-encoding.")
            }
            segments.append(decoded)
        }
        return segments
    }

    private static func decode(_ segment: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = segment.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

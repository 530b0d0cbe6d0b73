/// Exactly one e-mail address, brought into the one form in which it is kept.
package enum EmailAddress {
    /// RFC 5321, 4.5.3.1: 64 bytes before the `@`, 254 in all.
    private static let limit = 254
    private static let localLimit = 64

    /// The address in lower case; nil for what is none, or more than one (`a@evil,b@victim`), or holds what a mail
    /// header or a page could trip over.
    package static func read(_ text: String) -> String? {
        let address = text.lowercased()
        let parts = address.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, address.utf8.count <= limit, (1...localLimit).contains(parts[0].count),
            isLocal(Array(parts[0])), isDomain(Array(parts[1]))
        else { return nil }
        return address
    }

    /// RFC 5322, 3.2.3 "dot-atom", and letters beyond ASCII (RFC 6531, 3.3).
    private static func isLocal(_ bytes: [UInt8]) -> Bool {
        guard bytes.first != UInt8(ascii: "."), bytes.last != UInt8(ascii: ".") else { return false }
        var last: UInt8 = 0
        for byte in bytes {
            if byte == UInt8(ascii: "."), last == byte { return false }
            guard isLetterOrDigit(byte) || byte >= 0x80 || ".!#$%&'*+/=?^_`{|}~-".utf8.contains(byte) else {
                return false
            }
            last = byte
        }
        return true
    }

    /// RFC 1035, 2.3.1 labels, at least two of them; letters beyond ASCII as they are.
    private static func isDomain(_ bytes: [UInt8]) -> Bool {
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                    && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 >= 0x80 }
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

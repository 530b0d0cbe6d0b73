/// Writes a query string in one canonical form: parameters sorted by name, those of one name in their order,
/// everything but unreserved characters (RFC 3986 §2.3) percent-encoded. It names the same rows, so it goes
/// into `Content-Location` (RFC 9110 §8.7).
///
/// - Parameter query: as it came, without the question mark.
/// - Returns: ASCII without the question mark; empty for an empty query.
package func canonicalQuery(of query: [UInt8]) -> [UInt8] {
    guard !query.isEmpty else { return [] }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(query.count)
    var pairs: [(name: Range<Int>, value: Range<Int>)] = []
    query.withUnsafeBufferPointer { query in
        var reader = QueryPairs(query)
        while let (name, value) = reader.next() {
            let start = decoded.count
            appendPercentDecoded(name, to: &decoded)
            let middle = decoded.count
            if let value { appendPercentDecoded(value, to: &decoded) }
            pairs.append((start..<middle, middle..<decoded.count))
        }
    }
    // By position where names are equal: the library promises no stable sort.
    pairs.sort { left, right in
        let (leftName, rightName) = (decoded[left.name], decoded[right.name])
        if leftName.elementsEqual(rightName) { return left.name.lowerBound < right.name.lowerBound }
        return leftName.lexicographicallyPrecedes(rightName)
    }
    var canonical: [UInt8] = []
    canonical.reserveCapacity(query.count + 16)
    for (name, value) in pairs {
        if !canonical.isEmpty { canonical.append(UInt8(ascii: "&")) }
        appendPercentEncoded(decoded[name], to: &canonical)
        canonical.append(UInt8(ascii: "="))
        appendPercentEncoded(decoded[value], to: &canonical)
    }
    return canonical
}

/// The canonical form of a query as text. One plain parameter, the commonest query, is its own canonical form.
package func canonicalQuery(of query: Substring) -> String {
    var equals = 0
    let isPlain = query.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "~"):
            return true
        case UInt8(ascii: "="):
            equals += 1
            return true
        default: return false
        }
    }
    if isPlain, equals == 1 { return String(query) }
    return String(decoding: canonicalQuery(of: Array(query.utf8)), as: UTF8.self)
}

private func appendPercentEncoded(_ bytes: ArraySlice<UInt8>, to target: inout [UInt8]) {
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "~"):
            target.append(byte)
        default:
            target.append(UInt8(ascii: "%"))
            target.append(upperCaseDigit(byte >> 4))
            target.append(upperCaseDigit(byte & 15))
        }
    }
}

private func upperCaseDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
}

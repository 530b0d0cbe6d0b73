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

/// The canonical form of a query as text. Plain parameters, the commonest query, only have to be put in order.
package func canonicalQuery(of query: Substring) -> String {
    var query = query
    let ordered = query.withUTF8 { bytes in plainPairs(bytes).map { inOrder($0, of: bytes) } }
    return ordered ?? String(decoding: canonicalQuery(of: Array(query.utf8)), as: UTF8.self)
}

/// A `name=value` in which nothing has to be encoded, and where its name ends.
private typealias PlainPair = (start: Int, equals: Int, end: Int)

/// The pairs of a query; nil when one of them has no value, or any byte would be written otherwise in canonical form.
private func plainPairs(_ bytes: UnsafeBufferPointer<UInt8>) -> [PlainPair]? {
    guard !bytes.isEmpty else { return nil }
    var pairs: [PlainPair] = []
    var (start, equals) = (0, -1)
    for index in 0...bytes.count {
        guard index < bytes.count, bytes[index] != UInt8(ascii: "&") else {
            guard equals >= start else { return nil }
            pairs.append((start, equals, index))
            (start, equals) = (index + 1, -1)
            continue
        }
        if bytes[index] == UInt8(ascii: "=") {
            guard equals < 0 else { return nil }
            equals = index
        } else if !isUnreserved(bytes[index]) {
            return nil
        }
    }
    return pairs
}

private func inOrder(_ pairs: [PlainPair], of bytes: UnsafeBufferPointer<UInt8>) -> String {
    guard pairs.count > 1 else { return String(decoding: bytes, as: UTF8.self) }
    // By position where names are equal: the library promises no stable sort.
    let sorted = pairs.sorted { left, right in
        let (leftName, rightName) = (bytes[left.start..<left.equals], bytes[right.start..<right.equals])
        if leftName.elementsEqual(rightName) { return left.start < right.start }
        return leftName.lexicographicallyPrecedes(rightName)
    }
    return String(unsafeUninitializedCapacity: bytes.count) { buffer in
        var length = 0
        for pair in sorted {
            if length > 0 {
                buffer[length] = UInt8(ascii: "&")
                length += 1
            }
            for index in pair.start..<pair.end {
                buffer[length] = bytes[index]
                length += 1
            }
        }
        return length
    }
}

/// RFC 3986 §2.3
private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        true
    default: false
    }
}

private func appendPercentEncoded(_ bytes: ArraySlice<UInt8>, to target: inout [UInt8]) {
    for byte in bytes {
        if isUnreserved(byte) {
            target.append(byte)
        } else {
            target.append(UInt8(ascii: "%"))
            target.append(upperCaseDigit(byte >> 4))
            target.append(upperCaseDigit(byte & 15))
        }
    }
}

private func upperCaseDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
}

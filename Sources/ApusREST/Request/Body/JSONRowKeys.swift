/// Compares the keys of each object of an array with those of the first one.
///
/// Rows of one client have their keys in the same order and spelling, so a row costs a comparison of bytes for
/// each key; only a row that differs in that is compared as a set.
struct JSONRowKeys {
    /// The keys of the first row, as they stand in the bytes.
    private(set) var first: [Range<Int>] = []
    /// Whether all rows so far have the same set of keys, and there were only rows.
    private(set) var areEqual = true

    private let bytes: UnsafeRawBufferPointer
    private var isFirstRow = true
    /// How many keys of this row were those of the first one, in order.
    private var matched = 0
    /// All keys of this row, once they are not.
    private var differing: [Range<Int>]?
    /// Made once: a first row may be much longer than those compared with it.
    private lazy var firstNames = names(first)

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    @inline(__always)
    mutating func note(_ key: Range<Int>) {
        if isFirstRow {
            first.append(key)
        } else if differing == nil, matched < first.count, haveEqualBytes(first[matched], key) {
            matched += 1
        } else if areEqual {
            differing = (differing ?? Array(first[..<matched])) + [key]
        }
    }

    mutating func endRow() {
        if !isFirstRow, areEqual, differing != nil || matched != first.count {
            areEqual = names(differing ?? Array(first[..<matched])) == firstNames
        }
        isFirstRow = false
        matched = 0
        differing = nil
    }

    /// Something in the array that is no row.
    mutating func noteOtherValue() {
        areEqual = false
    }

    private func names(_ keys: [Range<Int>]) -> Set<[UInt8]> {
        Set(
            keys.map { key in
                var name: [UInt8] = []
                appendUnescapedJSON(bytes[key], to: &name)
                return name
            })
    }

    @inline(__always)
    private func haveEqualBytes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        var (leftIndex, rightIndex) = (left.lowerBound, right.lowerBound)
        while leftIndex < left.upperBound {
            guard bytes[leftIndex] == bytes[rightIndex] else { return false }
            leftIndex += 1
            rightIndex += 1
        }
        return true
    }
}

/// Appends the text of a JSON string (RFC 8259 §7), given without quotes, valid and with escapes. Half of a
/// surrogate pair becomes U+FFFD.
func appendUnescapedJSON(_ string: some Collection<UInt8>, to target: inout [UInt8]) {
    var rest = Array(string)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
            target.append(byte)
            continue
        }
        switch escape {
        case UInt8(ascii: "b"): target.append(8)
        case UInt8(ascii: "f"): target.append(12)
        case UInt8(ascii: "n"): target.append(10)
        case UInt8(ascii: "r"): target.append(13)
        case UInt8(ascii: "t"): target.append(9)
        case UInt8(ascii: "u"): target.append(contentsOf: String(takeScalar(&rest)).utf8)
        default: target.append(escape)
        }
    }
}

private func takeScalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
    let unit = takeCodeUnit(&rest)
    guard 0xD800...0xDBFF ~= unit else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
    guard rest.starts(with: "\\u".utf8) else { return "\u{FFFD}" }
    var second = rest.dropFirst(2)
    let low = takeCodeUnit(&second)
    guard 0xDC00...0xDFFF ~= low else { return "\u{FFFD}" }
    rest = second
    return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
}

private func takeCodeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt32 {
    let digits = rest.prefix(4)
    rest = rest.dropFirst(4)
    return digits.reduce(0) { $0 << 4 | UInt32(hexadecimalDigit($1) ?? 0) }
}

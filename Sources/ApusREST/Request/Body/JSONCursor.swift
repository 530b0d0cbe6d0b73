/// Goes through JSON text (RFC 8259) value by value, checks it strictly and builds nothing.
///
/// Strings, most of a bulk body, are skipped eight bytes at a time. Nesting costs a byte a level and no stack.
struct JSONCursor {
    private let bytes: UnsafeRawBufferPointer
    private let maxDepth: Int
    private var index = 0
    /// Levels that the caller has entered.
    private var outerDepth = 0
    /// Containers that are open inside the value being skipped; true for an object.
    private var open: [Bool] = []
    private(set) var isTooDeep = false

    init(_ bytes: UnsafeRawBufferPointer, maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    // MARK: - Structure

    /// Whether `byte` comes next, after white space.
    @inline(__always)
    mutating func isNext(_ byte: UInt8) -> Bool {
        skipWhiteSpace()
        return index < bytes.count && bytes[index] == byte
    }

    /// Takes `byte` if it comes next, after white space.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard isNext(byte) else { return false }
        index += 1
        return true
    }

    mutating func isAtEnd() -> Bool {
        skipWhiteSpace()
        return index == bytes.count
    }

    /// Counts a level that the caller goes into; false when that is too deep.
    mutating func enter() -> Bool {
        outerDepth += 1
        isTooDeep = isTooDeep || outerDepth > maxDepth
        return !isTooDeep
    }

    mutating func leave() {
        outerDepth -= 1
    }

    /// Takes a key and its colon, and returns where the key's text lies.
    @inline(__always)
    mutating func takeKey() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = index
        guard skipRestOfString() else { return nil }
        let end = index - 1
        return take(UInt8(ascii: ":")) ? start..<end : nil
    }

    // MARK: - Values

    /// Skips one value; false when there is none, or it is not valid.
    mutating func skipValue() -> Bool {
        while true {
            skipWhiteSpace()
            guard index < bytes.count else { return false }
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): guard skipRestOfString() else { return false }
            case UInt8(ascii: "{"):
                guard push(isObject: true) else { return false }
                if !take(UInt8(ascii: "}")) {
                    guard takeKey() != nil else { return false }
                    continue
                }
                open.removeLast()
            case UInt8(ascii: "["):
                guard push(isObject: false) else { return false }
                if !take(UInt8(ascii: "]")) { continue }
                open.removeLast()
            case UInt8(ascii: "t"): guard skip("rue") else { return false }
            case UInt8(ascii: "f"): guard skip("alse") else { return false }
            case UInt8(ascii: "n"): guard skip("ull") else { return false }
            default: guard skipRestOfNumber(first: byte) else { return false }
            }
            guard let isComplete = closeContainers() else { return false }
            if isComplete { return true }
        }
    }

    /// After a value: closes what ends here. True when nothing is open any more, false when another value
    /// follows, nil when neither is so.
    @inline(__always)
    private mutating func closeContainers() -> Bool? {
        while let isObject = open.last {
            if take(UInt8(ascii: ",")) {
                return isObject && takeKey() == nil ? nil : false
            }
            guard take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return nil }
            open.removeLast()
        }
        return true
    }

    private mutating func push(isObject: Bool) -> Bool {
        guard outerDepth + open.count < maxDepth else {
            isTooDeep = true
            return false
        }
        open.append(isObject)
        return true
    }

    // MARK: - Tokens

    @inline(__always)
    private mutating func skipWhiteSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }

    private mutating func skip(_ rest: StaticString) -> Bool {
        rest.withUTF8Buffer { rest in
            guard bytes.count - index >= rest.count else { return false }
            for byte in rest {
                guard bytes[index] == byte else { return false }
                index += 1
            }
            return true
        }
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    @inline(__always)
    private mutating func skipRestOfNumber(first: UInt8) -> Bool {
        var digit = first
        if first == UInt8(ascii: "-") {
            guard index < bytes.count else { return false }
            digit = bytes[index]
            index += 1
        }
        guard isDigit(digit) else { return false }
        if digit != UInt8(ascii: "0") { skipDigits() }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() else { return false }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            guard skipDigits() else { return false }
        }
        return true
    }

    @discardableResult
    @inline(__always)
    private mutating func skipDigits() -> Bool {
        let start = index
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
        return index > start
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// Skips to behind the closing quote.
    @inline(__always)
    private mutating func skipRestOfString() -> Bool {
        while true {
            skipPlainText()
            guard index < bytes.count else { return false }
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return true
            case UInt8(ascii: "\\"): guard skipEscape() else { return false }
            case 0x80...: guard skipMultibyteCharacter(first: byte) else { return false }
            default: return false
            }
        }
    }

    /// Skips ASCII that needs no second look, in words of eight bytes where there are eight.
    @inline(__always)
    private mutating func skipPlainText() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits: UInt64 = 0x8080_8080_8080_8080
        while bytes.count - index >= 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // The high bit of a byte is set where it is a control, a quote, a backslash or not ASCII. Borrows
            // can set others too, but only above the first one that is meant.
            let found =
                ((word &- ones &* 0x20) | (quotes &- ones) | (backslashes &- ones) | word) & highBits
            guard found == 0 else {
                index += found.trailingZeroBitCount >> 3
                return
            }
            index += 8
        }
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x80...: return
            default: index += 1
            }
        }
    }

    /// At a backslash.
    private mutating func skipEscape() -> Bool {
        guard bytes.count - index >= 2 else { return false }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 2
            return true
        case UInt8(ascii: "u"):
            guard bytes.count - index >= 6 else { return false }
            for offset in 2..<6 where hexadecimalDigit(bytes[index + offset]) == nil { return false }
            index += 6
            return true
        default: return false
        }
    }

    /// A character of two to four bytes, well formed by the Unicode Standard, table 3-7.
    private mutating func skipMultibyteCharacter(first: UInt8) -> Bool {
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0x80...0xBF)
            }
        guard length > 0, bytes.count - index >= length, second ~= bytes[index + 1] else { return false }
        for offset in 2..<max(length, 2) where !(0x80...0xBF ~= bytes[index + offset]) { return false }
        index += length
        return true
    }
}

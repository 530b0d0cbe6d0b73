#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes JSON into memory of a fixed size, and notes when it does not do.
struct JSONWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0
    /// Something was left out, because there was no room.
    private(set) var isFull = false

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func put(_ byte: UInt8) {
        guard hasRoom(1) else { return }
        buffer[count] = byte
        count += 1
    }

    mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard hasRoom(bytes.count), let start = buffer.baseAddress, let source = bytes.baseAddress else {
            return
        }
        memcpy(start + count, source, bytes.count)
        count += bytes.count
    }

    /// A value as PostgreSQL printed it; false when it is not as the type's values are printed.
    mutating func put(_ bytes: UnsafeRawBufferPointer, as column: JSONColumn) -> Bool {
        switch column {
        case .json: put(bytes)
        case .text: putText(bytes)
        case .number:
            guard Self.isNumber(bytes) else {
                putText(bytes)
                return true
            }
            put(bytes)
        case .bool:
            if bytes.first == UInt8(ascii: "t") { put("true") } else { put("false") }
        case .date: return putDate(bytes)
        case .timestamp: return putTimestamp(bytes, hasZone: false)
        case .timestampWithZone: return putTimestamp(bytes, hasZone: true)
        }
        return true
    }

    /// A string: quotation mark, backslash and control characters escaped (RFC 8259 §7), as PostgreSQL does.
    mutating func putText(_ bytes: UnsafeRawBufferPointer) {
        put(UInt8(ascii: "\""))
        var plain = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            put(UnsafeRawBufferPointer(rebasing: bytes[plain..<index]))
            putEscaped(byte)
            plain = index + 1
        }
        put(UnsafeRawBufferPointer(rebasing: bytes[plain...]))
        put(UInt8(ascii: "\""))
    }

    // MARK: - Non public

    private mutating func hasRoom(_ more: Int) -> Bool {
        if count + more <= buffer.count { return true }
        isFull = true
        return false
    }

    private mutating func putEscaped(_ byte: UInt8) {
        put(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: put(UInt8(ascii: "b"))
        case 0x09: put(UInt8(ascii: "t"))
        case 0x0A: put(UInt8(ascii: "n"))
        case 0x0C: put(UInt8(ascii: "f"))
        case 0x0D: put(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
        default:
            put("u00")
            put(byte >> 4 + UInt8(ascii: "0"))
            put(byte & 15 < 10 ? byte & 15 + UInt8(ascii: "0") : byte & 15 - 10 + UInt8(ascii: "a"))
        }
    }

    /// Whether what PostgreSQL printed for a number is one in JSON: all but `NaN` and the infinities.
    private static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return false }
        if first == UInt8(ascii: "-") { return bytes.count > 1 && isDigit(bytes[1]) }
        return isDigit(first)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isInfinity(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.elementsEqual("infinity".utf8) || bytes.elementsEqual("-infinity".utf8)
    }

    /// The bytes of `YYYY-MM-DD` at the start, the year with four digits or more; nil in any style but ISO.
    private static func dateLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var year = 0
        while year < bytes.count, isDigit(bytes[year]) { year += 1 }
        let end = year + 6
        guard year >= 4, bytes.count >= end, bytes[year] == UInt8(ascii: "-"),
            isDigit(bytes[year + 1]), isDigit(bytes[year + 2]), bytes[year + 3] == UInt8(ascii: "-"),
            isDigit(bytes[year + 4]), isDigit(bytes[year + 5])
        else { return nil }
        return end
    }

    private mutating func putDate(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard Self.dateLength(bytes) != nil || Self.isInfinity(bytes) else { return false }
        putText(bytes)
        return true
    }

    /// `2026-01-01 12:00:00.5+00` becomes `2026-01-01T12:00:00.5+00:00`: a T between date and time, and minutes in
    /// the zone's offset. ` BC` stays where it is.
    private mutating func putTimestamp(_ bytes: UnsafeRawBufferPointer, hasZone: Bool) -> Bool {
        guard let date = Self.dateLength(bytes) else {
            guard Self.isInfinity(bytes) else { return false }
            putText(bytes)
            return true
        }
        guard date < bytes.count, bytes[date] == UInt8(ascii: " ") else { return false }
        var end = date + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
        put(UInt8(ascii: "\""))
        put(UnsafeRawBufferPointer(rebasing: bytes[..<date]))
        put(UInt8(ascii: "T"))
        put(UnsafeRawBufferPointer(rebasing: bytes[(date + 1)..<end]))
        if hasZone {
            guard end - date > 4 else { return false }
            let sign = bytes[end - 3]
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { put(":00") }
        }
        put(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        put(UInt8(ascii: "\""))
        return true
    }
}

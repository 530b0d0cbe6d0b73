/// Appends `bytes` with `%XX` decoded and `+` taken as a space (WHATWG URL §5.1). A percent sign without two
/// hexadecimal digits stands for itself.
func appendPercentDecoded(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence, to target: inout [UInt8]) {
    var plain = bytes.startIndex
    var index = plain
    let end = bytes.endIndex
    while index < end {
        let byte = bytes[index]
        if byte == UInt8(ascii: "+") {
            target.append(contentsOf: bytes[plain..<index])
            target.append(UInt8(ascii: " "))
            index += 1
            plain = index
        } else if byte == UInt8(ascii: "%"), end - index > 2,
            let high = hexadecimalDigit(bytes[index + 1]), let low = hexadecimalDigit(bytes[index + 2])
        {
            target.append(contentsOf: bytes[plain..<index])
            target.append(high << 4 | low)
            index += 3
            plain = index
        } else {
            index += 1
        }
    }
    target.append(contentsOf: bytes[plain..<end])
}

/// The value of a hexadecimal digit in either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

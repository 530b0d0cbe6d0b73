extension [UInt8] {
    /// Appends `text` as a JSON string, quoted and escaped (RFC 8259, 7).
    mutating func appendJSONString(_ text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                append(contentsOf: "\\u00".utf8)
                append(UInt8(ascii: byte < 0x10 ? "0" : "1"))
                append(contentsOf: String(byte & 0x0F, radix: 16).utf8)
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
}

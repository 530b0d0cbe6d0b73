/// How a parse error shows a character of the input: between quotes, with Haskell's escapes (Haskell 2010
/// Report §2.6), which is what clients of the dialect know.
enum ShownCharacter {
    /// `"x"`
    static func asString(_ scalar: Unicode.Scalar) -> String {
        scalar == "\"" ? #""\"""# : "\"" + escaped(scalar) + "\""
    }

    /// `'x'`
    static func asCharacter(_ scalar: Unicode.Scalar) -> String {
        scalar == "'" ? #"'\''"# : "'" + escaped(scalar) + "'"
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x5c: #"\\"#
        case 0..<0x20: "\\" + controls[Int(scalar.value)]
        case 0x7f: #"\DEL"#
        case 0x80...: "\\" + String(scalar.value)
        default: String(Character(scalar))
        }
    }

    private static let controls = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI", "DLE",
        "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
    ]
}

/// Quotes an identifier as PostgreSQL's `quote_ident` does, always with quotes, so that the result does not
/// depend on the server's list of keywords. A NUL cannot be part of an identifier and is dropped.
package func quoteIdentifier(_ name: String) -> String {
    quote(name, with: UInt8(ascii: "\""))
}

/// Quotes a string literal for `standard_conforming_strings = on`; with a backslash in it, as `E'…'`, which
/// means the same under either setting (PostgreSQL, "String Constants with C-Style Escapes").
package func quoteLiteral(_ string: String) -> String {
    if string.utf8.contains(UInt8(ascii: "\\")) {
        return " E" + quote(string.replacing("\\", with: "\\\\"), with: UInt8(ascii: "'"))
    }
    return quote(string, with: UInt8(ascii: "'"))
}

private func quote(_ string: String, with mark: UInt8) -> String {
    var result: [UInt8] = [mark]
    result.reserveCapacity(string.utf8.count + 2)
    for byte in string.utf8 where byte != 0 {
        if byte == mark { result.append(mark) }
        result.append(byte)
    }
    result.append(mark)
    return String(decoding: result, as: UTF8.self)
}

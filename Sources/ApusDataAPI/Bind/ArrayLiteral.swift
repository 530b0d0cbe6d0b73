/// The text form of a one-dimensional PostgreSQL array (PostgreSQL, "Array Input and Output Syntax").
package enum ArrayLiteral {
    /// Writes an array element by element; every element is quoted, so none is taken for `NULL`.
    struct Builder {
        private var bytes: [UInt8] = [UInt8(ascii: "{")]
        private(set) var count = 0

        /// Appends an element. NUL bytes, which no text of PostgreSQL can hold, are left out.
        mutating func append(_ element: some Sequence<UInt8>) {
            if count > 0 { bytes.append(UInt8(ascii: ",")) }
            count += 1
            bytes.append(UInt8(ascii: "\""))
            for byte in element where byte != 0 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                    bytes.append(UInt8(ascii: "\\"))
                }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }

        consuming func finish() -> [UInt8] {
            bytes.append(UInt8(ascii: "}"))
            return bytes
        }
    }

    /// The elements of an array as PostgreSQL prints it; `NULL` elements are left out.
    package static func elements(of text: some Collection<UInt8>) -> [String] {
        var elements: [String] = []
        var element: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        func flush() {
            let string = String(decoding: element, as: UTF8.self)
            if wasQuoted || (!string.isEmpty && string != "NULL") { elements.append(string) }
            element = []
            wasQuoted = false
        }
        var bytes = text.dropFirst().makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "\\"): if let escaped = bytes.next() { element.append(escaped) }
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                wasQuoted = true
            case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "}") where !isQuoted: flush()
            default: element.append(byte)
            }
        }
        return elements
    }
}

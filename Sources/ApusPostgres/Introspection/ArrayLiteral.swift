/// The text form of a one-dimensional array (PostgreSQL, "Array Input and Output Syntax").
enum ArrayLiteral {
    /// `["a", "b c"]` as `{"a","b c"}`, every element quoted.
    static func encode(_ elements: [String]) -> String {
        var result = "{"
        for (index, element) in elements.enumerated() {
            if index > 0 { result += "," }
            result += "\""
            for scalar in element.unicodeScalars where scalar != "\0" {
                if scalar == "\"" || scalar == "\\" { result += "\\" }
                result.unicodeScalars.append(scalar)
            }
            result += "\""
        }
        return result + "}"
    }

    /// The elements of a text such as `{a,"b c",NULL}`; a null element is left out.
    ///
    /// Empty for anything that is not a one-dimensional array without explicit bounds.
    static func decode(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        guard bytes.count > 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else {
            return []
        }
        var elements: [String] = []
        var element: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var position = 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\\") where position < bytes.count:
                element.append(bytes[position])
                position += 1
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                wasQuoted = true
            case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "}") where !isQuoted:
                let value = String(decoding: element, as: UTF8.self)
                if wasQuoted || value != "NULL" { elements.append(value) }
                element.removeAll(keepingCapacity: true)
                wasQuoted = false
            default: element.append(byte)
            }
        }
        return elements
    }
}

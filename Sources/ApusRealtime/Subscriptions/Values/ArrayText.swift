/// Reads the text form of an array (PostgreSQL, "Array Input and Output Syntax").
enum ArrayText {
    /// The elements of any array, whatever its dimensions, nil for null ones; nil for what is no array.
    static func elements(of text: ArraySlice<UInt8>) -> [[UInt8]?]? {
        // Explicit bounds (`[0:1]={a,b}`) stand before the equals sign.
        var rest = text
        if rest.first == UInt8(ascii: "[") {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            rest = rest[rest.index(after: equals)...]
        }
        guard rest.first == UInt8(ascii: "{"), rest.last == UInt8(ascii: "}") else { return nil }
        var reader = Reader(rest)
        return reader.read()
    }

    private struct Reader {
        private let text: ArraySlice<UInt8>
        private var elements: [[UInt8]?] = []
        private var element: [UInt8] = []
        private var isPresent = false
        private var wasQuoted = false

        init(_ text: ArraySlice<UInt8>) { self.text = text }

        mutating func read() -> [[UInt8]?]? {
            var isQuoted = false
            var position = text.startIndex
            while position < text.endIndex {
                let byte = text[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\\"):
                    guard position < text.endIndex else { return nil }
                    element.append(text[position])
                    isPresent = true
                    position += 1
                case UInt8(ascii: "\""):
                    isQuoted.toggle()
                    (wasQuoted, isPresent) = (true, true)
                case UInt8(ascii: "{") where !isQuoted: break
                case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "}") where !isQuoted: end()
                default:
                    element.append(byte)
                    isPresent = true
                }
            }
            return isQuoted ? nil : elements
        }

        private mutating func end() {
            defer { (element, isPresent, wasQuoted) = ([], false, false) }
            guard isPresent else { return }
            let isNull = !wasQuoted && element.elementsEqual("NULL".utf8)
            elements.append(isNull ? nil : element)
        }
    }
}

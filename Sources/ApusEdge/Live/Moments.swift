/// Words that PostgreSQL takes for a moment that moves, wherever it expects a point in time ("Special Values").
enum Moments {
    /// Whether one of them stands in the text, not as a part of a longer word.
    static func occur(in text: UnsafeRawBufferPointer) -> Bool {
        for index in 0..<text.count where index == 0 || !isLetter(text[index - 1]) {
            let isFound =
                switch text[index] | 0x20 {
                case UInt8(ascii: "n"): stands("now", in: text, at: index)
                case UInt8(ascii: "t"):
                    stands("today", in: text, at: index) || stands("tomorrow", in: text, at: index)
                case UInt8(ascii: "y"): stands("yesterday", in: text, at: index)
                default: false
                }
            if isFound { return true }
        }
        return false
    }

    private static func stands(_ word: StaticString, in text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        let end = index + word.utf8CodeUnitCount
        guard text.count >= end, text.count == end || !isLetter(text[end]) else { return false }
        for offset in 0..<word.utf8CodeUnitCount where text[index + offset] | 0x20 != word.utf8Start[offset] {
            return false
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

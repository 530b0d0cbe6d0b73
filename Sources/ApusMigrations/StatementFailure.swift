package import ApusPostgres

/// A statement of a file that failed.
package struct StatementFailure: Error, Sendable {
    package let file: String
    /// Where the server says that the error is; where the statement starts when it does not say.
    package let position: ScriptPosition
    /// The line of the statement around the error, with a mark under the place when the server named one.
    package let excerpt: String
    /// Which statement of how many, from 1.
    package let ordinal: Int
    package let count: Int
    /// Whether everything that the file had done was undone.
    package let isUndone: Bool
    package let cause: PostgresFault

    package init(_ cause: PostgresFault, of ordinal: Int, in file: ScriptFile) {
        let statement = file.statements[ordinal - 1]
        self.cause = cause
        self.file = file.name
        self.ordinal = ordinal
        count = file.statements.count
        isUndone = file.isTransactional
        position = cause.position.map { statement.position(ofCharacter: $0) } ?? statement.start
        excerpt = Self.excerpt(of: statement.text, at: cause.position)
    }

    // MARK: - Non public

    /// The longest excerpt, in characters; a line of an INSERT may hold a megabyte.
    private static let width = 120

    private static func excerpt(of statement: String, at character: Int?) -> String {
        let scalars = Array(statement.unicodeScalars)
        guard !scalars.isEmpty else { return "" }
        let place = min(max(0, (character ?? 1) - 1), scalars.count - 1)
        let isBreak: (Unicode.Scalar) -> Bool = { $0 == "\n" || $0 == "\r" }
        let lineStart = scalars[..<place].lastIndex(where: isBreak).map { $0 + 1 } ?? 0
        let lineEnd = scalars[place...].firstIndex(where: isBreak) ?? scalars.count
        let start = max(lineStart, place - width / 2)
        let end = min(lineEnd, start + width)
        guard start < end else { return "" }
        var line = String.UnicodeScalarView(scalars[start..<end].map { $0 == "\t" ? " " : $0 })
        if end < lineEnd { line.append("…") }
        guard character != nil else { return String(line) }
        return String(line) + "\n" + String(repeating: " ", count: place - start) + "^"
    }
}

/// A place in a file as people and editors count it: both from 1, columns in characters as PostgreSQL counts
/// them (Unicode scalars).
package struct ScriptPosition: Sendable, Equatable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(line):\(column)" }

    /// Moves past `text`.
    package mutating func advance(over text: some Sequence<Unicode.Scalar>) {
        for scalar in text {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
    }
}

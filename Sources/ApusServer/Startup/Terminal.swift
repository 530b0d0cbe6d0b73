import Foundation

/// Writes for people: standard output for what was asked for, standard error for progress. A reader that went away is
/// no error.
enum Terminal {
    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    static func progress(_ text: String) { write(text, to: .standardError) }

    /// Whether progress would be seen by a person.
    static var showsProgress: Bool { isatty(2) == 1 }

    private static func write(_ text: String, to file: FileHandle) {
        try? file.write(contentsOf: Data(text.utf8))
    }
}

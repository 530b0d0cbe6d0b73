import Foundation

/// Writes for people: standard output for what was asked for, standard error for progress.
enum Terminal {
    static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static func progress(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// Whether progress would be seen by a person.
    static var showsProgress: Bool { isatty(2) == 1 }
}

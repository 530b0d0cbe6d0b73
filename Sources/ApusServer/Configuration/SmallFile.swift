import Foundation

/// Reads and writes the few small files that a configuration consists of.
enum SmallFile {
    static func read(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    /// Writes a file that only its owner may read, all of it or nothing.
    static func writePrivately(_ text: String, to path: String) throws {
        let temporary = path + ".new"
        _ = FileManager.default.createFile(
            atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        guard rename(temporary, path) == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
    }
}

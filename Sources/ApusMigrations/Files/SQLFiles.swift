import Foundation

/// Finds files of SQL.
enum SQLFiles {
    /// The names of all `.sql` files in a directory, in order; hidden ones, such as an editor's lock, are not
    /// meant.
    static func names(in directory: String) throws(MigrationFault) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { $0.hasSuffix(".sql") && !$0.hasPrefix(".") }
                .sorted()
        } catch {
            throw .directory(path: directory, reason: "it cannot be read: \(error.localizedDescription)")
        }
    }

    /// The paths of a directory's files, or of the one file that `path` names.
    static func paths(at path: String) throws(MigrationFault) -> [String] {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue {
            return [path]
        }
        return try names(in: path).map { path + "/" + $0 }
    }
}

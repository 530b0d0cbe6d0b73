package import Foundation

/// A directory of migrations.
package struct MigrationDirectory: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// All migrations in order, each read, split and checked, so that a file that cannot run is known before
    /// the first one runs. Hidden files and those that are not `.sql` are left alone.
    ///
    /// - Throws: ``MigrationFault`` for a directory or a file that cannot be read, a name that is not of the
    ///   form, two files of one version.
    package func files() throws(MigrationFault) -> [MigrationFile] {
        var files: [MigrationFile] = []
        for fileName in try SQLFiles.names(in: path) {
            guard let name = MigrationName(fileName: fileName) else { throw .fileName(fileName) }
            let script = try ScriptFile(path: path + "/" + fileName)
            files.append(MigrationFile(name: name, script: script))
        }
        files.sort { $0.name < $1.name }
        for (earlier, later) in zip(files, files.dropFirst()) where earlier.name.version == later.name.version
        {
            throw .sameVersion(earlier.name.fileName, later.name.fileName)
        }
        return files
    }

    /// Makes a new, empty migration with the time `now` (UTC) as its version; makes the directory too.
    ///
    /// - Parameter description: words; what is not a letter or a digit becomes `_`.
    /// - Returns: the path of the file.
    package func create(_ description: String, now: Date = Date()) throws(MigrationFault) -> String {
        let words = description.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        guard let name = MigrationName(version: Self.version(of: now), name: words.joined(separator: "_"))
        else {
            throw .fileName(description)
        }
        let file = path + "/" + name.fileName
        let text = "-- \(words.joined(separator: " ").capitalizedFirst)\n\n"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw .directory(path: file, reason: "it cannot be written: \(error.localizedDescription)")
        }
        return file
    }

    // MARK: - Non public

    private static func version(of time: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: time)
        let numbers = [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second]
        return zip(numbers, [4, 2, 2, 2, 2, 2]).map { number, width in
            let digits = String(number ?? 0)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }.joined()
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

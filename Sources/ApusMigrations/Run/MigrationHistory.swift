import ApusPostgres
import ApusSQL

/// What a database says has been applied to it, against the files of a directory.
///
/// Pure: which migrations are to be applied, and why none may be.
package struct MigrationHistory: Sendable, Equatable {
    /// A row of `apus.migrations`.
    package struct Applied: Sendable, Equatable {
        package let name: MigrationName
        package let checksum: String
        /// As PostgreSQL writes it.
        package let appliedAt: String

        package init(name: MigrationName, checksum: String, appliedAt: String) {
            self.name = name
            self.checksum = checksum
            self.appliedAt = appliedAt
        }
    }

    package enum State: Sendable, Equatable {
        case applied(at: String)
        case pending
        /// Applied, and the file is not what it was.
        case changed(appliedAt: String)
        /// Applied, and there is no file.
        case missing(appliedAt: String)
        /// Not applied, though a newer one is.
        case outOfOrder(newest: MigrationName)
    }

    package struct Entry: Sendable, Equatable {
        package let name: MigrationName
        package let state: State
        /// nil for one that is missing.
        package let file: MigrationFile?
    }

    /// In order of version, whether from a file or from the database.
    package let entries: [Entry]

    /// - Parameter files: each version once.
    package init(files: [MigrationFile], applied: [Applied]) {
        let byVersion = Dictionary(applied.map { ($0.name.version, $0) }) { first, _ in first }
        let newest = applied.map(\.name).max()
        var entries = files.map { file in
            Entry(
                name: file.name, state: Self.state(of: file, byVersion[file.name.version], newest: newest),
                file: file)
        }
        let versions = Set(files.map(\.name.version))
        for row in applied where !versions.contains(row.name.version) {
            entries.append(Entry(name: row.name, state: .missing(appliedAt: row.appliedAt), file: nil))
        }
        self.entries = entries.sorted { $0.name < $1.name }
    }

    /// The files to apply, in order.
    ///
    /// - Throws: the first reason against applying any: ``MigrationFault/changed(file:)``,
    ///   ``MigrationFault/missing(file:)`` or ``MigrationFault/outOfOrder(file:newest:)``.
    package func pending() throws(MigrationFault) -> [MigrationFile] {
        var files: [MigrationFile] = []
        for entry in entries {
            switch entry.state {
            case .applied: break
            case .pending: if let file = entry.file { files.append(file) }
            case .changed: throw .changed(file: entry.name.fileName)
            case .missing: throw .missing(file: entry.name.fileName)
            case .outOfOrder(let newest):
                throw .outOfOrder(file: entry.name.fileName, newest: newest.fileName)
            }
        }
        return files
    }

    // MARK: - Non public

    /// A file that got another name but kept its version and its text is the same migration.
    private static func state(of file: MigrationFile, _ applied: Applied?, newest: MigrationName?) -> State {
        if let applied {
            return applied.checksum == file.script.checksum
                ? .applied(at: applied.appliedAt) : .changed(appliedAt: applied.appliedAt)
        }
        if let newest, file.name < newest { return .outOfOrder(newest: newest) }
        return .pending
    }
}

extension MigrationHistory.Applied {
    /// All rows of `apus.migrations`.
    static func read(_ session: Session) async throws -> [Self] {
        do throws(PostgresFault) {
            let rows = try await session.query(
                "select version, name, checksum, applied_at from apus.migrations order by version")
            return (0..<rows.count).compactMap { row in
                guard
                    let name = MigrationName(
                        version: rows.string(row, 0) ?? "", name: rows.string(row, 1) ?? "")
                else { return nil }
                return Self(
                    name: name, checksum: rows.string(row, 2) ?? "", appliedAt: rows.string(row, 3) ?? "")
            }
        } catch {
            throw MigrationFault(error, purpose: "table apus.migrations", remedy: Records.remedy)
        }
    }
}

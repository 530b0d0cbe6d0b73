package import ApusJSON
package import ApusPostgres
import ApusSQL

/// Brings the users of a Firebase project into `auth.users`, from a file of any size, a batch at a time.
///
/// How far it came is stored in the batch's own transaction, so that an import that was cut off goes on where it was;
/// a user who is there already is left alone, so that running it twice does no harm.
package struct FirebaseImport: Sendable {
    /// What to import, and how.
    package struct Request: Sendable {
        /// Firebase's project id; part of what user ids are made of.
        package var project: String
        package var parameters: FirebaseScrypt.Parameters
        /// Names the file, so that only the same file is resumed.
        package var fingerprint: String
        /// Whether addresses that Firebase never verified count as confirmed.
        package var confirmsAll: Bool

        package init(
            project: String, parameters: FirebaseScrypt.Parameters, fingerprint: String, confirmsAll: Bool
        ) {
            self.project = project
            self.parameters = parameters
            self.fingerprint = fingerprint
            self.confirmsAll = confirmsAll
        }
    }

    /// What happens, for whoever looks on.
    package enum Event: Sendable {
        /// Goes on after so many bytes.
        case resumed(at: Int, FirebaseImportReport)
        /// So many bytes are done.
        case progress(at: Int, FirebaseImportReport)
        case note(FirebaseImportReport.Note)
    }

    /// Users of one transaction.
    private static let batch = 500
    /// Bytes of one read.
    private static let pieceLength = 1 << 18

    private let request: Request
    private let rules: FirebaseImportRow.Rules

    package init(_ request: Request) {
        self.request = request
        rules = FirebaseImportRow.Rules(
            project: request.project, parameters: request.parameters,
            keyID: SignerKeys.id(of: request.parameters.signerKey), confirmsAll: request.confirmsAll)
    }

    // MARK: - Runs

    /// Reads everything and changes nothing.
    ///
    /// - Parameter read: bytes of the file from an offset on; empty at its end.
    /// - Throws: ``FirebaseExportScanner/Malformed``, and what `read` throws.
    package func rehearse(
        read: (_ offset: Int, _ count: Int) throws -> [UInt8], onEvent: (Event) -> Void
    ) throws -> FirebaseImportReport {
        var report = FirebaseImportReport()
        var scanner = FirebaseExportScanner()
        while true {
            let piece = try read(scanner.offset, Self.pieceLength)
            if piece.isEmpty { break }
            try scanner.scan(piece) { found in
                guard let row = take(found, &report, onEvent) else { return }
                report[.imported] += 1
                count(row, &report)
            }
            onEvent(.progress(at: scanner.offset, report))
        }
        try scanner.finish()
        return report
    }

    /// Imports, from where the last run came to.
    ///
    /// - Parameters:
    ///   - masterKeys: seal the project's signer key.
    ///   - read: bytes of the file from an offset on; empty at its end.
    /// - Throws: ``FirebaseExportScanner/Malformed``, what the database refuses, and what `read` throws.
    package func run(
        _ database: AuthDatabase, masterKeys: MasterKeys,
        read: (_ offset: Int, _ count: Int) throws -> [UInt8], onEvent: (Event) -> Void
    ) async throws -> FirebaseImportReport {
        try await database.query(SignerKeys.storing(request.parameters.signerKey, masterKeys))
        let progress = FirebaseImportProgress(database: database, request: request)
        var (offset, report) = try await progress.begin()
        if offset > 0 { onEvent(.resumed(at: offset, report)) }
        var scanner = offset > 0 ? FirebaseExportScanner(resumingAt: offset) : FirebaseExportScanner()
        var waiting: [FirebaseImportRow] = []
        while true {
            let piece = try read(scanner.offset, Self.pieceLength)
            if piece.isEmpty { break }
            var found: [FirebaseExportScanner.Found] = []
            try scanner.scan(piece) { found.append($0) }
            for user in found {
                if let row = take(user, &report, onEvent) { waiting.append(row) }
                offset = user.range.upperBound
                if waiting.count == Self.batch {
                    report = try await store(waiting, report, progress, offset, onEvent)
                    waiting = []
                }
            }
            onEvent(.progress(at: scanner.offset, report))
        }
        try scanner.finish()
        report = try await store(waiting, report, progress, offset, onEvent)
        try await progress.end()
        return report
    }

    // MARK: - Non public

    private func take(
        _ found: FirebaseExportScanner.Found, _ report: inout FirebaseImportReport, _ onEvent: (Event) -> Void
    ) -> FirebaseImportRow? {
        report[.read] += 1
        guard let user = try? FirebaseUser(found.bytes) else {
            let note = FirebaseImportReport.Note(
                uid: "", about: .unreadable, detail: "at byte \(found.range.lowerBound)")
            report.add(note)
            onEvent(.note(note))
            return nil
        }
        let row = FirebaseImportRow(user, rules)
        for note in row.notes { onEvent(.note(note)) }
        return row
    }

    private func count(_ row: FirebaseImportRow, _ report: inout FirebaseImportReport) {
        for fact in row.facts { report[fact] += 1 }
        for note in row.notes { report.add(note) }
    }

    private func store(
        _ rows: [FirebaseImportRow], _ report: FirebaseImportReport, _ progress: FirebaseImportProgress,
        _ offset: Int, _ onEvent: (Event) -> Void
    ) async throws -> FirebaseImportReport {
        let (stored, notes) = try await progress.store(rows, offset: offset) { imported, present, links in
            var (report, notes) = (report, [FirebaseImportReport.Note]())
            for row in rows {
                if imported.contains(row.id) {
                    report[.imported] += 1
                    count(row, &report)
                } else if present.contains(row.id) {
                    report[.present] += 1
                } else {
                    notes.append(.init(uid: row.uid, about: .conflicting, detail: ""))
                }
            }
            let expected = rows.filter { imported.contains($0.id) }.reduce(0) { $0 + $1.identities.count }
            report[.linkTaken] += expected - links
            for note in notes { report.add(note) }
            return (report, notes)
        }
        for note in notes { onEvent(.note(note)) }
        onEvent(.progress(at: offset, stored))
        return stored
    }
}

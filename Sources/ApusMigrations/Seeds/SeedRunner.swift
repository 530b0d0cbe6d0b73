package import ApusPostgres
import ApusSQL

/// Fills a database with a set of files of SQL, each once and in the order of their names.
///
/// Unlike migrations, seeds have no order in time: a new file runs wherever its name stands, and one that was
/// changed after it ran is reported and left alone.
package struct SeedRunner: Sendable {
    /// What a caller may show while seeds run; indices count from 1.
    package enum Event: Sendable, Equatable {
        case waiting
        case skipped(String, index: Int, count: Int)
        /// It ran before, and the file is not what it was.
        case changed(String, index: Int, count: Int)
        case started(String, index: Int, count: Int)
        case retrying(String, attempt: Int)
        case finished(String, Duration, index: Int, count: Int)
    }

    private let database: Database
    private let path: String
    private let settings: MigrationSettings

    /// - Parameter path: a directory of `.sql` files, or one file.
    package init(database: Database, path: String, settings: MigrationSettings = .init()) {
        self.database = database
        self.path = path
        self.settings = settings
    }

    /// Runs what has not run yet, up to the first that fails; each file in its transaction, as migrations.
    ///
    /// - Returns: the names of the files that ran.
    @discardableResult
    package func run(onEvent: (Event) -> Void = { _ in }) async throws(MigrationFault) -> [String] {
        var files: [ScriptFile] = []
        for path in try SQLFiles.paths(at: path) { files.append(try ScriptFile(path: path)) }
        let seeds = files
        return try await MigrationLock.withLock(
            database, settings: settings, onWait: { onEvent(.waiting) }
        ) { session in
            let recorded = try await recorded(session)
            var ran: [String] = []
            for (index, seed) in seeds.enumerated() {
                let (name, index, count) = (seed.name, index + 1, seeds.count)
                if let checksum = recorded[name] {
                    let isSame = checksum == seed.checksum
                    onEvent(
                        isSame
                            ? .skipped(name, index: index, count: count)
                            : .changed(name, index: index, count: count))
                    continue
                }
                onEvent(.started(name, index: index, count: count))
                let duration = try await apply(seed, on: session, onEvent)
                ran.append(name)
                onEvent(.finished(name, duration, index: index, count: count))
            }
            return ran
        }
    }

    // MARK: - Non public

    /// Checksums of the seeds that ran, by name.
    private func recorded(_ session: Session) async throws -> [String: String] {
        do throws(PostgresFault) {
            let rows = try await session.query("select name, checksum from apus.seeds")
            let pairs = (0..<rows.count).map { (rows.string($0, 0) ?? "", rows.string($0, 1) ?? "") }
            return Dictionary(pairs) { first, _ in first }
        } catch {
            throw MigrationFault(error, purpose: "table apus.seeds", remedy: Records.remedy)
        }
    }

    private func apply(
        _ seed: ScriptFile, on session: Session, _ onEvent: (Event) -> Void
    ) async throws -> Duration {
        try await ScriptRun(session: session, settings: settings).run(seed) { attempt in
            onEvent(.retrying(seed.name, attempt: attempt))
        } record: { duration in
            """
            insert into apus.seeds (name, checksum, duration)
            values (\(bind: seed.name), \(bind: seed.checksum), \(bind: duration.interval)::interval)
            """
        }
    }
}

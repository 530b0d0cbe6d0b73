package import ApusPostgres
import ApusSQL

/// Applies a directory's migrations to a database: each once, in order, one process at a time.
///
/// ## Topics
/// - Making a file: ``MigrationDirectory/create(_:now:)``.
/// - ``status()``, ``up(onEvent:)``.
package struct MigrationRunner: Sendable {
    /// What a caller may show while migrations run.
    package enum Event: Sendable, Equatable {
        /// Somebody else migrates this database.
        case waiting
        /// `index` counts from 1.
        case started(MigrationName, index: Int, count: Int)
        /// Tables were locked; attempt number `attempt` begins.
        case retrying(MigrationName, attempt: Int)
        case applied(MigrationName, Duration)
    }

    private let database: Database
    private let directory: MigrationDirectory
    private let settings: MigrationSettings

    /// - Parameter database: connected as the owner of what the migrations change, directly or through a pooler
    ///   in session mode: the lock belongs to the session.
    package init(database: Database, directory: MigrationDirectory, settings: MigrationSettings = .init()) {
        self.database = database
        self.directory = directory
        self.settings = settings
    }

    /// Every migration, in the directory or applied, and how it stands. Creates Apus's tables if need be.
    package func status() async throws(MigrationFault) -> MigrationHistory {
        let files = try directory.files()
        return try await MigrationLock.withLock(database, settings: settings) { session in
            MigrationHistory(files: files, applied: try await MigrationHistory.Applied.read(session))
        }
    }

    /// Applies what is pending, up to the first that fails.
    ///
    /// - Returns: what was applied, in order; empty when all had been before.
    /// - Throws: the reason why nothing more was applied.
    @discardableResult
    package func up(onEvent: (Event) -> Void = { _ in }) async throws(MigrationFault) -> [MigrationName] {
        let files = try directory.files()
        return try await MigrationLock.withLock(
            database, settings: settings, onWait: { onEvent(.waiting) }
        ) { session in
            let pending = try MigrationHistory(
                files: files, applied: try await MigrationHistory.Applied.read(session)
            ).pending()
            for (index, file) in pending.enumerated() {
                onEvent(.started(file.name, index: index + 1, count: pending.count))
                let duration = try await apply(file, on: session, onEvent)
                onEvent(.applied(file.name, duration))
            }
            return pending.map(\.name)
        }
    }

    // MARK: - Non public

    private func apply(
        _ file: MigrationFile, on session: Session, _ onEvent: (Event) -> Void
    ) async throws -> Duration {
        try await ScriptRun(session: session, settings: settings).run(file.script) { attempt in
            onEvent(.retrying(file.name, attempt: attempt))
        } record: { duration in
            """
            insert into apus.migrations (version, name, checksum, duration)
            values (\(bind: file.name.version), \(bind: file.name.name), \(bind: file.script.checksum),
                \(bind: duration.interval)::interval)
            """
        }
    }
}

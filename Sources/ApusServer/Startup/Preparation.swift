import ApusFaults
import ApusMigrations
import ApusPostgres
import Logging

/// Brings a database to what this program and the user's migrations need, before anything is served.
struct Preparation: Sendable {
    let settings: Settings
    let home: DatabaseHome
    let logger: Logger

    /// - Throws: a coded fault; nothing is served then.
    func run() async throws {
        // Whoever asks for migrations on a database of theirs gets them, by the one connection string there is.
        let isAskedFor = settings.string("migrations") != nil || settings.string("seed") != nil
        guard let adminURL = home.adminURL ?? (isAskedFor ? home.serviceURL : nil) else { return }
        var configuration = DatabaseConfiguration(connectionString: adminURL)
        configuration.connections = 2
        configuration.sessionParameters = [("application_name", "apus-migrate")]
        let database = Database(configuration, logger: logger)
        do {
            try await prepare(database)
        } catch let fault as MigrationFault {
            await database.shutdown()
            throw fault.fault
        } catch {
            await database.shutdown()
            throw error
        }
        await database.shutdown()
    }

    // MARK: - Non public

    private func prepare(_ database: Database) async throws {
        let steps = SystemStep.all(catalogEventTrigger: CatalogStore.eventTriggerSQL)
        try await SystemMigrator(database: database, steps: steps).run { event in
            switch event {
            case .waiting: logger.notice("another process prepares the database; waiting")
            case .applied(let step): logger.info("prepared the database", metadata: ["step": "\(step.name)"])
            case .left(let step, let fault):
                logger.warning(
                    "a step was left out",
                    metadata: ["step": "\(step.name)", "reason": "\(fault.fault.message)"])
            }
        }
        if let path = settings.string("migrations") {
            let runner = MigrationRunner(database: database, directory: MigrationDirectory(path: path))
            _ = try await runner.up { event in
                if case .applied(let name, let duration) = event {
                    logger.notice(
                        "migrated",
                        metadata: ["migration": "\(name)", "milliseconds": "\(duration / .milliseconds(1))"])
                }
            }
        }
        if let path = settings.string("seed") {
            var progress = SeedProgress()
            try await SeedRunner(database: database, path: path).run { event in progress.show(event) }
            progress.end()
        }
    }
}

/// A bar on a terminal, nothing elsewhere, while a new database is filled.
private struct SeedProgress {
    private var isShown = false
    private let isTerminal = Terminal.showsProgress

    mutating func show(_ event: SeedRunner.Event) {
        switch event {
        case .started(let name, let index, let count): draw(index - 1, count, name)
        case .finished(let name, _, let index, let count): draw(index, count, name)
        default: break
        }
    }

    mutating func end() {
        guard isShown else { return }
        Terminal.progress("\n")
    }

    private mutating func draw(_ done: Int, _ count: Int, _ name: String) {
        guard isTerminal else { return }
        isShown = true
        let width = 30
        let filled = width * done / max(1, count)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        Terminal.progress("\r\u{1B}[Kseeding \(bar) \(done)/\(count) \(name)")
    }
}

import ApusFaults
import ApusMigrations
import ApusPostgres
import Logging

/// `apus migrate`: the user's migrations on the database that a configuration names. A private database that does
/// not run is started for it, and stopped again.
package struct Migrating: Sendable {
    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// Makes an empty file and returns its path.
    package func new(_ name: String) throws -> String {
        do {
            return try directory.create(name)
        } catch {
            throw error.fault
        }
    }

    /// Applies what is pending, a line for each.
    package func up(_ say: @escaping @Sendable (String) -> Void) async throws {
        try await withOwner { database in
            let steps = SystemStep.all(catalogEventTrigger: CatalogStore.eventTriggerSQL)
            try await SystemMigrator(database: database, steps: steps).run()
            let applied = try await MigrationRunner(database: database, directory: directory).up { event in
                switch event {
                case .waiting: say("waiting for another process that migrates this database")
                case .started(let name, let index, let count): say("[\(index)/\(count)] \(name)")
                case .retrying(let name, let attempt):
                    say("      \(name): tables are locked, attempt \(attempt)")
                case .applied(_, let duration): say("      applied in \(Int(duration / .milliseconds(1))) ms")
                }
            }
            say(applied.isEmpty ? "nothing to do" : "\(applied.count) applied")
        }
    }

    /// Lists all migrations, a line for each.
    package func status(_ say: @escaping @Sendable (String) -> Void) async throws {
        try await withOwner { database in
            let history = try await MigrationRunner(database: database, directory: directory).status()
            if history.entries.isEmpty { say("no migrations") }
            for entry in history.entries { say("\(entry.name)  \(entry.state)") }
        }
    }

    // MARK: - Non public

    private var directory: MigrationDirectory {
        MigrationDirectory(path: settings.string("migrations") ?? "migrations")
    }

    private func withOwner(_ body: (Database) async throws -> Void) async throws {
        var logger = Logger(label: "apus")
        logger.logLevel = .warning
        var home: DatabaseHome?
        let url: String
        do {
            url = try DatabaseAddress.owner(settings)
        } catch {
            let opened = try await DatabaseHome.open(settings, logger: logger)
            home = opened
            url = opened.adminURL ?? opened.serviceURL
        }
        var configuration = DatabaseConfiguration(connectionString: url)
        configuration.connections = 2
        let database = Database(configuration, logger: logger)
        let result: Result<Void, any Error>
        do {
            try await body(database)
            result = .success(())
        } catch let fault as MigrationFault {
            result = .failure(fault.fault)
        } catch {
            result = .failure(error)
        }
        await database.shutdown()
        await home?.close()
        try result.get()
    }
}

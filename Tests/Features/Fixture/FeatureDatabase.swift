import ApusMigrations
import ApusPostgres
import ApusSQL
import ApusTestSupport
import Logging
import Synchronization

/// A database with the library in it: a copy of one template that is prepared once for the whole test process.
struct FeatureDatabase: Sendable {
    let name: String
    let cluster: ThrowawayCluster

    /// Makes a copy of the template.
    static func make() async throws -> FeatureDatabase {
        let cluster = try await ThrowawayCluster.shared.value
        let owner = try await template.value
        let name = "features_\(counter.add(1, ordering: .relaxed).newValue)"
        _ = try await owner.query("create database \(ident: name) template \(ident: templateName)")
        return FeatureDatabase(name: name, cluster: cluster)
    }

    /// For the server: the role that may become others.
    var serviceURL: String { cluster.conninfo(database: name, user: "authenticator") }

    /// For what needs the owner's privileges.
    var ownerURL: String { cluster.conninfo(database: name) }

    /// Runs statements as the owner, outside of the server.
    func run(_ script: String) async throws {
        try await withOwner { try await $0.withSession { try await $0.simpleQuery(script) } }
    }

    /// One value, as text, as the owner sees it.
    func value(_ query: String) async throws -> String? {
        try await withOwner { try await $0.query(SQL(trusted: query)).string(0, 0) }
    }

    /// A connection of the owner's for as long as `body` runs.
    func withOwner<R: Sendable>(_ body: (Database) async throws -> R) async throws -> R {
        let owner = Self.connect(cluster.conninfo(database: name))
        do {
            let result = try await body(owner)
            await owner.shutdown()
            return result
        } catch {
            await owner.shutdown()
            throw error
        }
    }

    /// Removes the functions that change settings, speak about responses, or read settings of the single request.
    static let withoutSettings = """
        do $$
        declare
            suspect regprocedure;
        begin
            for suspect in
                select oid from pg_proc
                where pronamespace = 'library'::regnamespace
                    and prosrc ~ 'set_config|current_setting|request[.]|response[.]'
            loop
                execute 'drop function ' || suspect || ' cascade';
            end loop;
        end
        $$;

        """

    // MARK: - Non public

    private static let templateName = "features_template"
    private static let counter = Atomic<Int>(0)

    /// The owner's connection to the maintenance database, once the template stands: nobody may be connected to a
    /// template while it is copied.
    private static let template = Task {
        let cluster = try await ThrowawayCluster.shared.value
        let maintenance = connect(cluster.conninfo())
        _ = try await maintenance.query("create database \(ident: templateName)")
        let owner = connect(cluster.conninfo(database: templateName))
        let steps = SystemStep.all(catalogEventTrigger: CatalogStore.eventTriggerSQL)
        try await SystemMigrator(database: owner, steps: steps).run()
        for part in Library.parts { try await owner.withSession { try await $0.simpleQuery(part) } }
        await owner.shutdown()
        return maintenance
    }

    private static func connect(_ conninfo: String) -> Database {
        var configuration = DatabaseConfiguration(connectionString: conninfo)
        configuration.connections = 1
        // Copies of the template are made one after the other, and all suites begin at once.
        configuration.acquisitionTimeout = .seconds(120)
        var logger = Logger(label: "features")
        logger.logLevel = .critical
        return Database(configuration, logger: logger)
    }
}

import ApusPostgres
import ApusSQL
import Logging

/// Commits rows at a steady rate, each a transaction of its own, and remembers when it was answered.
final class Writer: Sendable {
    private let database: Database

    init(_ connectionString: String, connections: Int = 8) {
        var configuration = DatabaseConfiguration(connectionString: connectionString)
        configuration.connections = connections
        var logger = Logger(label: "load")
        logger.logLevel = .error
        database = Database(configuration, logger: logger)
    }

    /// The table of the measurements; it is made anew.
    func prepare() async throws {
        try await database.withSession { session in
            try await session.simpleQuery(
                """
                drop table if exists public.apus_load;
                create table public.apus_load (id bigint primary key, bucket int not null, note text not null);
                grant select on public.apus_load to anon, authenticated, service_role;
                """)
        }
    }

    func remove() async throws {
        try await database.query("drop table if exists public.apus_load")
        await database.shutdown()
    }

    private static let insert = StatementText("insert into public.apus_load values ($1, $2, $3)")

    /// One row; its note carries the mark.
    func write(_ number: Int64, bucket: Int, answered: @escaping @Sendable (Bool) -> Void) {
        var binds = Binds()
        binds.append(text: String(number).utf8)
        binds.append(text: String(bucket).utf8)
        binds.append(text: "~\(number)~".utf8)
        database.submit(RoundTrip(steps: [.init(Statement(text: Self.insert, binds: binds))])) { result in
            if case .success = result { answered(true) } else { answered(false) }
        }
    }
}

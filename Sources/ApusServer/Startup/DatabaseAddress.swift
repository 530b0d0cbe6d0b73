package import ApusFaults
import ApusPostgres
import Foundation

/// How other programs reach the database that a configuration names.
package enum DatabaseAddress {
    /// A connection string as the owner.
    ///
    /// - Throws: when the private database does not run.
    package static func owner(_ settings: Settings) throws -> String {
        if let url = settings.string("db-admin-uri") ?? settings.string("db-uri") { return url }
        let directory = settings.string("data-dir") ?? ".apus"
        guard let connection = EmbeddedPostgres.running(inDataDirectory: directory) else {
            throw Fault(
                code: "APUS012", kind: .unavailable,
                message: "No database runs in the data directory '\(directory)'.",
                hint: "Start it with: apus serve --data-dir \(directory)")
        }
        return connection.conninfo()
    }

    /// The psql that belongs to the private database, else the one on the path.
    package static func psql(_ settings: Settings) -> String {
        let candidates =
            [settings.string("postgres-bin"), ProcessInfo.processInfo.environment["APUS_POSTGRES_BIN"]]
            .compactMap { $0 }.map { $0 + "/psql" } + [".cache/postgresql-18/bin/psql"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "psql"
    }
}

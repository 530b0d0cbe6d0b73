import ApusPostgres
import ApusSQL

/// What the server and the role allow.
struct ServerFacts: Sendable {
    var walLevel: String
    var role: String
    var isSuperuser: Bool
    /// Whether the role may replicate; superusers may.
    var replicates: Bool
    var databaseOID: UInt32
    /// As `server_version_num`.
    var version: Int
    /// A transaction id of now, with its epoch.
    var transactionID: UInt64
    /// In megabytes; −1: slots hold back log without limit.
    var slotLimit: Int
    /// `pg_type.typname` of the built-in types, which the stream does not describe.
    var types: [UInt32: String]

    static func read(_ database: Database) async throws(PostgresFault) -> ServerFacts {
        let rows = try await database.query(
            """
            select current_setting('wal_level'), current_user, r.rolsuper, r.rolreplication,
                (select oid from pg_database where datname = current_database()),
                current_setting('server_version_num'), pg_snapshot_xmax(pg_current_snapshot()),
                (select setting from pg_settings where name = 'max_slot_wal_keep_size')
            from pg_roles r where r.rolname = current_user
            """)
        let typeRows = try await database.query("select oid, typname from pg_type where oid < 16384")
        var types: [UInt32: String] = [:]
        for row in 0..<typeRows.count {
            types[UInt32(typeRows.int(row, 0) ?? 0)] = typeRows.string(row, 1)
        }
        let isSuperuser = rows.bool(0, 2) ?? false
        return ServerFacts(
            walLevel: rows.string(0, 0) ?? "", role: rows.string(0, 1) ?? "", isSuperuser: isSuperuser,
            replicates: isSuperuser || rows.bool(0, 3) == true, databaseOID: UInt32(rows.int(0, 4) ?? 0),
            version: rows.int(0, 5) ?? 0, transactionID: UInt64(rows.int(0, 6) ?? 0),
            slotLimit: rows.int(0, 7) ?? -1, types: types)
    }
}

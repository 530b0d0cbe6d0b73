import ApusPostgres
import ApusSQL

/// A replication slot as the server shows it (PostgreSQL, `pg_replication_slots`).
struct SlotStatus: Sendable, Equatable {
    /// Whether a walsender reads it now.
    var isActive: Bool
    /// Whether it is one of ours: pgoutput, in this database.
    var isOurs: Bool
    /// The server has removed log that it needs, or invalidated it for another reason.
    var isLost: Bool
    /// It is there, and PostgreSQL still looks for where it can begin: it waits for the transactions that run.
    var isBeingMade: Bool
    var confirmed: LSN
    /// How much log it holds back, in bytes.
    var retainedBytes: Int
    /// How far what was written is ahead of what was confirmed, in bytes.
    var lagBytes: Int
    /// How much may be written before it is lost, in bytes; nil: without limit.
    var safeBytes: Int?

    /// nil when there is no such slot.
    static func read(_ name: String, _ database: Database) async throws(PostgresFault) -> SlotStatus? {
        let rows = try await database.query(
            """
            select active, coalesce(plugin = 'pgoutput' and database = current_database() and not temporary, false),
                coalesce(wal_status = 'lost', false) or restart_lsn is null, confirmed_flush_lsn,
                pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,
                pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint, safe_wal_size,
                confirmed_flush_lsn is null
            from pg_replication_slots where slot_name = \(bind: name)
            """)
        guard rows.count == 1 else { return nil }
        return SlotStatus(
            isActive: rows.bool(0, 0) ?? false, isOurs: rows.bool(0, 1) ?? false,
            isLost: rows.bool(0, 2) ?? false, isBeingMade: rows.bool(0, 7) ?? false,
            confirmed: rows.string(0, 3).flatMap { LSN($0) } ?? .zero, retainedBytes: rows.int(0, 4) ?? 0,
            lagBytes: rows.int(0, 5) ?? 0, safeBytes: rows.int(0, 6))
    }
}

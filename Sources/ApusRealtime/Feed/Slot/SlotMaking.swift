import ApusFaults
import ApusPostgres
import ApusSQL

/// A slot that can be read, and the epoch that it stands for.
struct ReadySlot: Sendable {
    var epoch: UInt64
    var status: SlotStatus
}

/// Finds the slot, or makes one. A new slot is a new epoch: what was written before it may be unknown.
struct SlotMaking: Sendable {
    let name: String
    let facts: ServerFacts
    let database: Database

    /// Under a lock, so that of many nodes one makes it. May wait for every transaction that is running now.
    ///
    /// - Throws: a `Fault` that says what is missing.
    func ready() async throws -> ReadySlot {
        if let ready = try await existing() { return ready }
        let (name, facts) = (name, facts)
        do {
            try await database.withSession { session async throws -> Void in
                try await session.query(
                    "select pg_advisory_lock(\(Self.lock), hashtext(\(bind: name)))")
                do {
                    try await Self.make(name, facts, session)
                } catch {
                    _ = try? await session.query("select pg_advisory_unlock_all()")
                    throw error
                }
                try await session.query("select pg_advisory_unlock_all()")
            }
        } catch let fault as PostgresFault {
            throw fault.kind == .server ? FeedFault.slot(name, fault) : FeedFault.database(fault)
        }
        guard let ready = try await existing() else {
            throw FeedFault.slot(name, PostgresFault(.protocol, "It was removed as soon as it was made."))
        }
        return ready
    }

    // MARK: - Non public

    /// The first half of the advisory lock's key: "apus", second lock.
    private static let lock: SQL = "1634760051"

    /// nil when a slot must be made.
    private func existing() async throws -> ReadySlot? {
        let (status, epoch): (SlotStatus?, Int?)
        do throws(PostgresFault) {
            status = try await SlotStatus.read(name, database)
        } catch { throw FeedFault.database(error) }
        do throws(PostgresFault) {
            epoch = try await database.query("select epoch from apus.feed_epochs where slot = \(bind: name)")
                .int(0, 0)
        } catch {
            throw error.kind == .server
                ? FeedFault.notPrepared(role: facts.role, error) : FeedFault.database(error)
        }
        guard let status else { return nil }
        guard status.isOurs else { throw FeedFault.foreignSlot(name) }
        // While another node makes it, it shows as active, and where it will begin is not known yet.
        guard !status.isLost, !status.isBeingMade, let epoch else { return nil }
        return ReadySlot(epoch: UInt64(epoch), status: status)
    }

    /// The epoch grows first: should this process end before the slot is there, the next one only makes it grow
    /// again. It is at least the time in seconds, so that it grows too where an old copy of the table was
    /// restored.
    private static func make(
        _ name: String, _ facts: ServerFacts, _ session: Session
    ) async throws(PostgresFault) {
        let known = try await session.query(
            """
            select restart_lsn is null or coalesce(wal_status = 'lost', false)
                or not exists (select from apus.feed_epochs where slot = \(bind: name))
            from pg_replication_slots where slot_name = \(bind: name)
            """)
        // Somebody else has made it while this one waited for the lock.
        if known.count == 1, known.bool(0, 0) == false { return }
        try await session.query(
            """
            insert into apus.feed_epochs as known (slot, epoch)
            values (\(bind: name), extract(epoch from now())::bigint)
            on conflict (slot) do update
            set epoch = greatest(known.epoch + 1, excluded.epoch), began_at = now()
            """)
        if known.count == 1 {
            try await session.query("select pg_drop_replication_slot(\(bind: name))")
        }
        // From 17 on a slot can be copied to standbys, so that it survives a failover.
        let failover: SQL = facts.version >= 170_000 ? ", false, false, true" : ""
        try await session.query(
            "select pg_create_logical_replication_slot(\(bind: name), 'pgoutput'\(failover))")
    }
}

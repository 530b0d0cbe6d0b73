import ApusPostgres
import ApusSQL

/// Lets one process at a time change a database.
///
/// An advisory lock of the session (PostgreSQL, "Advisory Locks"), so it ends with the connection at the latest.
/// It is tried again and again and not waited for: a waiting statement holds a snapshot, and a
/// `CREATE INDEX CONCURRENTLY` of the one who has the lock waits for all older snapshots, so both would wait for
/// each other.
enum MigrationLock {
    /// The same for system migrations, migrations and seeds, in every version of Apus: "ApusMigr" in ASCII.
    static let key = 0x4170_7573_4D69_6772

    private static let pause = Duration.milliseconds(200)

    /// Runs `body` on a session of its own that holds the lock, and with the records in place.
    ///
    /// - Parameter onWait: called once if somebody else has the lock.
    static func withLock<R: Sendable>(
        _ database: Database, settings: MigrationSettings, onWait: () -> Void = {},
        _ body: (Session) async throws -> R
    ) async throws(MigrationFault) -> R {
        do {
            return try await database.withSession { session in
                try await acquire(session, wait: settings.lockWait, onWait: onWait)
                try await Records.prepare(session)
                let result = try await body(session)
                // What is left of the lock when something throws ends as the session is cleaned.
                _ = try await session.query("select pg_advisory_unlock(\(bind: key)::bigint)")
                return result
            }
        } catch let fault as MigrationFault {
            throw fault
        } catch let fault as PostgresFault {
            throw .database(fault)
        } catch is CancellationError {
            throw .interrupted("the task was cancelled")
        } catch {
            throw .interrupted("\(error)")
        }
    }

    private static func acquire(_ session: Session, wait: Duration, onWait: () -> Void) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + wait
        var hasWaited = false
        while true {
            let rows = try await session.query("select pg_try_advisory_lock(\(bind: key)::bigint)")
            if rows.bool(0, 0) == true { return }
            if clock.now >= deadline { throw MigrationFault.locked(waited: wait) }
            if !hasWaited { onWait() }
            hasWaited = true
            try await clock.sleep(for: pause)
        }
    }
}

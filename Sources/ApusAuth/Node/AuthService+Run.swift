import ApusPostgres
import ApusSQL
import ApusTokens
import Logging
import Synchronization

/// What a node does all the time: hears of sessions that end and keys that change, links the audit log, cleans up.
extension AuthService {
    /// Channel on which nodes tell each other that something changed; the payload says what.
    static let channel = "apus_auth"

    /// Works until cancelled.
    package func run() async {
        let notifications = database.listen([Self.channel])
        defer { firstAttempt.finish() }
        guard await prepare() else { return }
        // Everything from the beginning: rows are kept for as long as a token could still speak of them.
        var cursor = "0"
        let isComplete = await readRevocations(&cursor)
        firstAttempt.finish()
        if !isComplete { await untilDone { await self.readRevocations(&cursor) } }
        let start = cursor
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow(notifications, from: start) }
            group.addTask { await self.linkAuditLog() }
            group.addTask { await self.cleanUp() }
        }
    }

    /// Reads what a node cannot serve without; false when cancelled before that.
    private func prepare() async -> Bool {
        var wait = 1
        while !Task.isCancelled {
            do {
                try await secrets.load()
                try await keys.load()
                try await loadAPIKeys()
                return true
            } catch {
                let reason = (error as? PostgresFault)?.message ?? "\(error)"
                logger.error("authentication is not ready", metadata: ["reason": "\(reason)"])
                firstAttempt.finish()
                try? await Task.sleep(for: .seconds(wait))
                wait = min(30, wait * 2)
            }
        }
        return false
    }

    /// Returns when the node has tried once to read what it needs.
    package func started() async { await firstAttempt.wait() }

    // MARK: - Ended sessions and changed keys

    private func follow(_ notifications: AsyncStream<DatabaseNotification>, from start: String) async {
        var cursor = start
        for await notification in notifications {
            switch notification {
            case .message(_, "keys", _):
                // Whoever changed them wrote into the audit log beside this process.
                auditIsBehind.store(true, ordering: .relaxed)
                await untilDone { await self.reloadKeys() }
            case .message(_, "api keys", _):
                auditIsBehind.store(true, ordering: .relaxed)
                await untilDone { await self.reloadAPIKeys() }
            case .message: await untilDone { await self.readRevocations(&cursor) }
            case .reconnected:
                await untilDone { await self.readRevocations(&cursor) }
                await untilDone { await self.reloadKeys() }
                await untilDone { await self.reloadAPIKeys() }
            }
        }
    }

    /// Nobody says a second time what a notification said.
    private func untilDone(_ attempt: () async -> Bool) async {
        var wait = Duration.milliseconds(100)
        while await !attempt(), (try? await Task.sleep(for: wait)) != nil {
            wait = min(wait * 2, .seconds(5))
        }
    }

    /// False when the database could not be asked. (A key that cannot be opened must not hold up the sessions.)
    private func reloadKeys() async -> Bool {
        do {
            try await keys.load()
            return true
        } catch {
            logger.error("signing keys cannot be read", metadata: ["reason": "\(error)"])
            return (error as? PostgresFault).map { $0.kind == .server } ?? true
        }
    }

    /// Takes over what ended since `cursor`, a transaction id: all that were still to commit when it was last read are
    /// at or above it, so nothing is missed and some are read twice. False when they could not be read.
    private func readRevocations(_ cursor: inout String) async -> Bool {
        do throws(PostgresFault) {
            let rows = try await database.query(
                """
                select pg_snapshot_xmin(pg_current_snapshot()), r.session_id,
                    extract(epoch from r.revoked_at)::bigint
                from (select) as once left join auth.revocations r on r.transaction >= \(bind: cursor)::xid8
                """)
            let lifetime = Int64(settings.tokenLifetime) + Self.clockDifference
            let ended = (0..<rows.count).compactMap { rows.string($0, 1) }
            let last = (0..<rows.count).compactMap { rows.int($0, 2) }.max()
            if !ended.isEmpty {
                trust.end(sessions: ended, forgottenAt: Int64(last ?? 0) + lifetime)
            }
            cursor = rows.string(0, 0) ?? cursor
            return true
        } catch {
            logger.error("ended sessions cannot be read", metadata: ["reason": "\(error.message)"])
            return false
        }
    }

    /// Seconds by which clocks may differ.
    static let clockDifference: Int64 = 60

    // MARK: - House-keeping

    /// A second after what was recorded here, and every ten seconds: an entry is recorded before its transaction
    /// commits, so that a run may have come too early for it; and a node that was killed links nothing.
    private func linkAuditLog() async {
        var idle = 0
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            await noteUsedAPIKeys()
            let isBehind = auditIsBehind.exchange(false, ordering: .relaxed)
            idle = isBehind ? 0 : idle + 1
            guard isBehind || idle.isMultiple(of: 10) else { continue }
            do throws(PostgresFault) {
                try await database.query(AuditChain.link)
            } catch {
                auditIsBehind.store(true, ordering: .relaxed)
                logger.error("the audit log cannot be linked", metadata: ["reason": "\(error.message)"])
                try? await Task.sleep(for: .seconds(10))
            }
        }
    }

    /// Every ten minutes.
    private func cleanUp() async {
        while (try? await Task.sleep(for: .seconds(600))) != nil {
            trust.forget(before: now())
            _ = try? await database.run(leftovers)
        }
    }

    private var leftovers: [SQL] {
        [
            "delete from auth.rate_limits where full_at < now()",
            "delete from auth.sign_in_tries where tried_at < now() - interval '1 hour' and waits_until < now()",
            "delete from auth.one_time_tokens where expires_at < now()",
            "delete from auth.flow_state where expires_at < now() - interval '1 day'",
            "delete from auth.sessions s where not (\(isAlive))",
            """
            delete from auth.revocations where revoked_at
                < now() - make_interval(secs => \(bind: settings.tokenLifetime + Int(Self.clockDifference)))
            """,
        ]
    }
}

import ApusFaults
import ApusJSON
import ApusPostgres
import ApusSQL

/// Keeps answers beside the effects that they belong to: in the database, in the same transaction.
struct IdempotencyStore: Sendable {
    let session: Session

    /// What is known of a key.
    enum Finding {
        case new
        case known(StoredAnswer)
    }

    /// Locks the key for this transaction and looks it up.
    ///
    /// - Throws: APUS409 while another transaction holds the lock, APUS422 when the key belongs to another request.
    func claim(_ key: IdempotencyKey) async throws(Fault) -> Finding {
        let lock: SQL =
            "select pg_try_advisory_xact_lock(hashtextextended(\(bind: key.scope + "\n" + key.key), 0))"
        return try await claim(key, lock: lock)
    }

    /// Keeps the answer for as long as the key lives. The caller's role has been left before: the table is ours.
    func keep(_ answer: StoredAnswer, for key: IdempotencyKey) async throws(Fault) {
        var fields = JSONObject()
        fields.members = answer.fields.map { .init(name: $0.name, value: .string($0.value)) }
        let insert: SQL = """
            insert into apus.idempotency_keys (scope, key, fingerprint, status, fields, body, expires_at)
            values (\(bind: key.scope), \(bind: key.key), \(bind: .binary(key.fingerprint, oid: TypeOID.bytea)),
                \(bind: answer.status), \(bind: .binary(JSONValue.object(fields).bytes, oid: TypeOID.json)),
                \(bind: .binary(answer.body, oid: TypeOID.bytea)), now() + \(bind: key.lifetime) * interval '1 second')
            on conflict (scope, key) do update
            set fingerprint = excluded.fingerprint, status = excluded.status, fields = excluded.fields,
                body = excluded.body, created_at = now(), expires_at = excluded.expires_at
            """
        do {
            _ = try await session.execute(
                RoundTrip(steps: [
                    .init(Statement("select set_config('role', 'none', true)"), keepsRows: false),
                    .init(Statement(insert), keepsRows: false),
                ]))
        } catch {
            throw IdempotencyFault.fault(of: error)
        }
    }

    // MARK: - Non public

    private func claim(_ key: IdempotencyKey, lock: SQL) async throws(Fault) -> Finding {
        let look: SQL = """
            select fingerprint = \(bind: .binary(key.fingerprint, oid: TypeOID.bytea)), status, fields,
                encode(body, 'base64')
            from apus.idempotency_keys
            where scope = \(bind: key.scope) and key = \(bind: key.key) and expires_at > now()
            """
        let results: [Rows]
        do {
            // One after the other: the look-up must see what the last holder of the lock committed.
            results = try await session.execute(
                RoundTrip(steps: [.init(Statement(lock)), .init(Statement(look))]))
        } catch {
            throw IdempotencyFault.fault(of: error)
        }
        guard results.count == 2, results[0].bool(0, 0) == true else { throw IdempotencyFault.running }
        let found = results[1]
        guard found.count == 1 else { return .new }
        guard found.bool(0, 0) == true else { throw IdempotencyFault.otherRequest }
        return .known(Self.answer(found))
    }

    private static func answer(_ rows: Rows) -> StoredAnswer {
        let json = rows.withBytes(0, 2) { $0.map { Array($0) } ?? [] }
        let members = (try? JSONReader.read(json))?.object?.members ?? []
        return StoredAnswer(
            status: rows.int(0, 1) ?? 200, fields: members.map { ($0.name, $0.value.text ?? "") },
            body: rows.withBytes(0, 3) { Base64Text.decode($0.map { Array($0) } ?? []) }, isReplay: true)
    }
}

/// Base64 as PostgreSQL's `encode` writes it, with line ends (RFC 2045 §6.8).
private enum Base64Text {
    static func decode(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let value = value(of: byte) else { continue }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

import ApusJSON
import ApusPostgres
import ApusSQL

/// Stores batches of an import, and in the same transaction how far it came.
struct FirebaseImportProgress: Sendable {
    let database: AuthDatabase
    let request: FirebaseImport.Request

    /// Where to begin: 0, or where an import of the same file was cut off.
    func begin() async throws -> (offset: Int, report: FirebaseImportReport) {
        let rows = try await database.query(
            """
            insert into auth.imports as i (source, project, fingerprint)
            values ('firebase', \(bind: request.project), \(bind: request.fingerprint))
            on conflict (source, project, fingerprint) do update set
                position = case when i.finished_at is null then i.position else 0 end,
                report = case when i.finished_at is null then i.report else '{}' end,
                finished_at = null, updated_at = now()
            returning position, report
            """)
        let report = rows.string(0, 1).flatMap { try? JSONReader.read(Array($0.utf8)).object }
        return (rows.int(0, 0) ?? 0, FirebaseImportReport(report ?? [:]))
    }

    func end() async throws {
        try await database.query(
            "update auth.imports set finished_at = now(), updated_at = now() where \(isThis)")
    }

    /// Stores a batch. Who cannot be stored is left out and not an error.
    ///
    /// - Parameter judge: turns the ids that were stored, the ids that were there before, and the number of
    ///   identities stored into the report that is kept.
    func store(
        _ rows: [FirebaseImportRow], offset: Int,
        judge:
            @Sendable (Set<String>, Set<String>, Int) -> (FirebaseImportReport, [FirebaseImportReport.Note])
    ) async throws -> (FirebaseImportReport, [FirebaseImportReport.Note]) {
        let users = Self.text(rows.map { .object($0.user) })
        let identities = Self.text(rows.flatMap { $0.identities.map { .object($0) } })
        let ids = "{" + rows.map(\.id).joined(separator: ",") + "}"
        let isThis = isThis
        return try await database.transaction { transaction in
            let known = try await transaction.query(
                "select id from auth.users where id = any(\(bind: ids)::uuid[])")
            let present = Set((0..<known.count).compactMap { known.string($0, 0) })
            let made = try await transaction.query(Self.storing(users, identities))
            let imported = Set((made.string(0, 0) ?? "").split(separator: ",").map { String($0) })
            let judged = judge(imported, present, made.int(0, 1) ?? 0)
            try await transaction.query(
                """
                update auth.imports set position = \(bind: offset)::bigint,
                    report = \(bind: Self.text(.object(judged.0.json)))::jsonb, updated_at = now()
                where \(isThis)
                """)
            return judged
        }
    }

    // MARK: - Non public

    private var isThis: SQL {
        """
        source = 'firebase' and project = \(bind: request.project) and fingerprint = \(bind: request.fingerprint)
        """
    }

    private static func storing(_ users: String, _ identities: String) -> SQL {
        """
        with made as (
            insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at, phone,
                phone_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, last_sign_in_at,
                banned_until, is_anonymous)
            select u.id, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', u.email, u.password,
                case when u.email_confirmed then coalesce(to_timestamp(u.created), now()) end, u.phone,
                case when u.phone is not null then coalesce(to_timestamp(u.created), now()) end, u.app, u.data,
                coalesce(to_timestamp(u.created), now()), now(), to_timestamp(u.last),
                case when u.banned then now() + interval '100 years' end, u.anonymous
            from jsonb_to_recordset(\(bind: users)::jsonb) as u (id uuid, email text, password text,
                email_confirmed boolean, phone text, app jsonb, data jsonb, created double precision,
                last double precision, banned boolean, anonymous boolean)
            on conflict do nothing returning id),
        linked as (
            insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
            select i.subject, i.user_id, i.data, i.provider, now(), now()
            from jsonb_to_recordset(\(bind: identities)::jsonb) as i (user_id uuid, provider text, subject text,
                data jsonb) join made on made.id = i.user_id
            on conflict do nothing returning 1)
        select (select string_agg(id::text, ',') from made), (select count(*) from linked)
        """
    }

    private static func text(_ values: [JSONValue]) -> String { text(.array(values)) }

    private static func text(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }
}

import ApusFaults
import ApusJSON
import ApusPostgres
import ApusSQL

/// Users as whoever runs the project sees them.
extension AuthService {
    /// `GET /admin/users?page=&per_page=&filter=&sort=`
    package func listUsers(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let page = try Page(call)
        let filter = call.query["filter"].flatMap { $0.isEmpty ? nil : $0 }
        let matching: SQL =
            if let filter {
                """
                u.deleted_at is null and (strpos(lower(coalesce(u.email, '')), lower(\(bind: filter))) > 0
                    or strpos(coalesce(u.phone, ''), \(bind: filter)) > 0
                    or strpos(lower(coalesce(u.raw_user_meta_data ->> 'full_name', '')), lower(\(bind: filter))) > 0)
                """
            } else {
                "u.deleted_at is null"
            }
        let answers = try await database.run([
            "select count(*) from auth.users u where \(matching)",
            """
            select \(AuthUser.columns) from auth.users u where \(matching)
            order by \(try Self.order(call.query["sort"])), u.id limit \(bind: page.size) offset \(bind: page.offset)
            """,
            recording(AuditEvent("users_listed", administrator: admin.role), call),
        ])
        guard answers.count == 3 else { throw AuthFault.unexpected }
        let rows = answers[1]
        let users = (0..<rows.count).compactMap { AuthUser(rows, row: $0) }
        var answer = AuthAnswer.json([
            "users": .array(users.map { .object($0.json) }), "aud": "authenticated",
        ])
        answer.fields = page.fields(
            total: answers[0].int(0, 0) ?? 0, of: settings.externalURL + "/admin/users")
        return answer
    }

    /// `GET /admin/users/{id}`
    package func showUser(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let user = try await userInPath(call)
        await record(AuditEvent("user_viewed", user: user.id, administrator: admin.role), call)
        return .object(user.json)
    }

    /// `DELETE /admin/users/{id}`
    ///
    /// A user who is removed softly stays as an id that rows of others may refer to, without anything that says who it
    /// was: no address, no digest of one that could be guessed, no name.
    package func deleteUser(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let user = try await userInPath(call)
        let isSoft = try call.flag("should_soft_delete") ?? false
        let event = recording(
            AuditEvent("user_deleted", administrator: admin.role, traits: ["soft": .bool(isSoft)]), call)
        // Flows hold on to nobody by a foreign key.
        let flows: SQL = """
            delete from auth.flow_state
            where user_id = \(bind: user.id)::uuid or linking_target_id = \(bind: user.id)::uuid
            """
        guard isSoft else {
            try await database.run([event, flows, "delete from auth.users where id = \(bind: user.id)"])
            return .done
        }
        try await database.run([
            event, flows,
            """
            update auth.users set deleted_at = now(), updated_at = now(), email = null, phone = null,
                encrypted_password = '', email_change = '', phone_change = '', raw_user_meta_data = '{}',
                raw_app_meta_data = '{}'
            where id = \(bind: user.id)
            """,
            "delete from auth.identities where user_id = \(bind: user.id)",
            "delete from auth.sessions where user_id = \(bind: user.id)",
            "delete from auth.mfa_factors where user_id = \(bind: user.id)",
            "delete from auth.webauthn_credentials where user_id = \(bind: user.id)",
            "delete from auth.oauth_consents where user_id = \(bind: user.id)",
            "delete from auth.oauth_authorizations where user_id = \(bind: user.id)",
            "delete from auth.audit_subjects where user_id = \(bind: user.id)",
            OneTimeToken.forgetting(user: user.id),
        ])
        return .done
    }

    /// `GET /admin/audit?query=&page=&per_page=`
    package func auditLog(_ call: AuthCall, _ admin: Administrator) async throws -> AuthAnswer {
        let page = try Page(call)
        let words = call.query["query"] ?? ""
        // `action:login`, as GoTrue has it, or any text.
        let text = words.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
        let matching: SQL = "strpos(payload::text, \(bind: text)) > 0"
        let answers = try await database.run([
            "select count(*) from auth.audit_log_entries where \(matching)",
            """
            select jsonb_build_object('id', id, 'payload', payload, 'created_at', \(AuthUser.time("created_at")),
                'ip_address', ip_address, 'number', number, 'link', encode(link, 'hex'))
            from auth.audit_log_entries where \(matching)
            order by created_at desc, id limit \(bind: page.size) offset \(bind: page.offset)
            """,
        ])
        guard answers.count == 2 else { throw AuthFault.unexpected }
        let entries = (0..<answers[1].count).compactMap { row in
            answers[1].withBytes(row, 0) { $0.flatMap { try? JSONReader.read(Array($0)) } }
        }
        var answer = AuthAnswer.json(.array(entries))
        answer.fields = page.fields(
            total: answers[0].int(0, 0) ?? 0, of: settings.externalURL + "/admin/audit")
        return answer
    }

    /// The user that the path names.
    ///
    /// - Throws: 404 for an id that is none, and for one of nobody.
    package func userInPath(_ call: AuthCall) async throws -> AuthUser {
        guard let id = call.path["id"].flatMap({ UUIDText.read($0) }) else {
            throw AuthFault(404, "validation_failed", "user_id must be an UUID")
        }
        guard let user = AuthUser(try await database.query(Users.byID(id))) else {
            throw AuthFault.userNotFound
        }
        return user
    }

    /// `created_at desc`, of the few columns that may be sorted by.
    private static func order(_ text: String?) throws(AuthFault) -> SQL {
        guard let text, !text.isEmpty else { return "u.created_at desc" }
        let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "." })
        let columns: [Substring: SQL] = [
            "created_at": "u.created_at", "updated_at": "u.updated_at",
            "last_sign_in_at": "u.last_sign_in_at",
            "email": "u.email", "phone": "u.phone",
        ]
        guard let column = words.first.flatMap({ columns[$0] }), words.count <= 2,
            words.count == 1 || words[1] == "asc" || words[1] == "desc"
        else { throw .invalid("sort must be a column and asc or desc") }
        return column + (words.last == "asc" ? " asc nulls last" : " desc nulls last")
    }
}

/// Which part of a long list.
private struct Page {
    let number: Int
    let size: Int

    var offset: Int { (number - 1) * size }

    /// - Throws: `validation_failed` for what is no page.
    init(_ call: AuthCall) throws(AuthFault) {
        number = try Self.read(call.query["page"], fallback: 1, limit: 1_000_000)
        size = try Self.read(call.query["per_page"], fallback: 50, limit: 1_000)
    }

    private static func read(_ text: String?, fallback: Int, limit: Int) throws(AuthFault) -> Int {
        guard let text, !text.isEmpty else { return fallback }
        guard let number = Int(text), number >= 0 else {
            throw .invalid("Bad Pagination Parameters: \(text)")
        }
        return min(limit, number == 0 ? fallback : number)
    }

    /// `X-Total-Count`, and `Link` (RFC 8288) with `page=` as the first parameter, by which clients find it.
    func fields(total: Int, of url: String) -> [HeaderField] {
        let last = max(1, (total + size - 1) / size)
        var links: [String] = []
        if number < last { links.append("<\(url)?page=\(number + 1)&per_page=\(size)>; rel=\"next\"") }
        links.append("<\(url)?page=\(last)&per_page=\(size)>; rel=\"last\"")
        return [.init("X-Total-Count", String(total)), .init("Link", links.joined(separator: ", "))]
    }
}

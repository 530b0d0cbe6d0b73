import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

/// Identities of somebody who is signed in.
extension AuthService {
    /// Somebody came back from a provider to have the account there linked. Nothing is linked yet: whoever follows
    /// another's address with a provider's account of their own would give that account away. With a challenge, the
    /// client that asked links by exchanging the code; without one, a page asks the person.
    func prepareLinking(
        _ flow: ProviderFlow, _ account: ProviderAccount, to target: String
    ) async throws -> AuthAnswer {
        guard let user = AuthUser(try await database.query(Users.byID(target))) else {
            throw AuthFault.userNotFound
        }
        let pending = try seal(account.stored.text, flow: flow.id)
        let ticket = Base64URL.encode(RandomBytes.make(32))
        try await database.query(
            """
            update auth.flow_state set context = context || jsonb_build_object('account', \(bind: pending)::text,
                'ticket', \(bind: CodeExchange.digest(ticket))::text)
            where id = \(bind: flow.id)
            """)
        guard flow.challenge != nil else {
            var answer = AuthAnswer(body: .html(LinkPage.make(flow: flow.id, ticket: ticket, account, user)))
            answer.fields = VerifyPage.fields
            return answer
        }
        let code = UUIDText.random()
        let issued = try await database.query(
            CodeExchange.issuing(code, flow: flow.id, user: target, method: "oauth"))
        guard issued.count == 1 else {
            throw AuthFault(422, "flow_state_expired", "invalid flow state, flow state has expired")
        }
        return .redirect(Self.adding("code=\(code)", toQueryOf: flow.redirectTo), status: 302)
    }

    /// Links what waits with a flow; part of the exchange of its code.
    func linkPending(
        flow: String, user: String, _ call: AuthCall, in transaction: AuthTransaction
    ) async throws {
        let rows = try await transaction.query(
            """
            update auth.flow_state set context = context - 'account' - 'ticket'
            from (select id, context ->> 'account' as account from auth.flow_state where id = \(bind: flow) for update)
                as waiting
            where flow_state.id = waiting.id and linking_target_id = \(bind: user)::uuid
            returning waiting.account
            """)
        guard let sealed = rows.string(0, 0) else { return }
        let stored = try JSONReader.read(Array(try unseal(sealed, flow: flow).utf8)).object ?? [:]
        guard let account = ProviderAccount(stored: stored) else { throw AuthFault.unexpected }
        try await link(account, to: user, call, in: transaction)
    }

    /// `POST /callback/link`: the button of the page that asks.
    package func confirmLinking(_ call: AuthCall) async throws -> AuthAnswer {
        guard let flow = try call.text("flow", limit: 64).flatMap(UUIDText.read),
            let ticket = try call.text("ticket", limit: 128)
        else { throw AuthFault(400, "bad_oauth_state", "OAuth callback with invalid state") }
        // The ticket is in the page alone, and is used up by being shown.
        let rows = try await database.query(
            """
            update auth.flow_state set context = context - 'ticket'
            where id = \(bind: flow) and context ->> 'ticket' = \(bind: CodeExchange.digest(ticket))
                and code_challenge is null and expires_at > now() and linking_target_id is not null
            returning linking_target_id, context ->> 'redirect_to'
            """)
        guard let user = rows.string(0, 0), let target = rows.string(0, 1) else {
            throw AuthFault(400, "bad_oauth_state", "OAuth callback with invalid state")
        }
        do {
            let pending = try await database.transaction { transaction in
                try await self.linkPending(flow: flow, user: user, call, in: transaction)
                return try await self.openSession(user: user, method: "oauth", call: call, in: transaction)
            }
            return .redirect(target + "#" + (try await issue(pending)).fragment(type: nil))
        } catch let fault as AuthFault {
            return redirect(to: target, fault: fault, isPKCE: false)
        }
    }

    /// `DELETE /user/identities/:id`
    package func unlink(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try requireLinking(caller)
        guard let id = call.path["id"].flatMap(UUIDText.read) else {
            throw AuthFault(404, "validation_failed", "identity_id must be an UUID")
        }
        let user = caller.user.id
        try await database.transaction { transaction in
            // Two at the same time must not leave nobody.
            try await transaction.query("select id from auth.users where id = \(bind: user) for update")
            let rows = try await transaction.query(
                """
                select provider, (select count(*) from auth.identities where user_id = \(bind: user)) from auth.identities
                where id = \(bind: id) and user_id = \(bind: user)
                """)
            guard let provider = rows.string(0, 0) else {
                throw AuthFault(422, "identity_not_found", "Identity doesn't exist")
            }
            guard (rows.int(0, 1) ?? 0) > 1 else {
                throw AuthFault(
                    422, "single_identity_not_deletable", "User must have at least 1 identity after unlinking"
                )
            }
            try await transaction.query("delete from auth.identities where id = \(bind: id)")
            try await self.settleAddress(of: caller.user, without: provider, in: transaction)
            try await transaction.run([
                Self.refreshingProviders(user),
                self.recording(
                    AuditEvent("identity_unlinked", user: user, traits: ["provider": .string(provider)]), call
                ),
            ])
        }
        return .done
    }

    // MARK: - Non public

    /// An address that no identity stands for any more makes room for one that does.
    private func settleAddress(
        of user: AuthUser, without provider: String, in transaction: AuthTransaction
    ) async throws {
        if provider == "phone" {
            try await transaction.query(
                "update auth.users set phone = null, phone_confirmed_at = null where id = \(bind: user.id)")
            return
        }
        if provider == "email" {
            try await transaction.query(
                "update auth.users set encrypted_password = '' where id = \(bind: user.id)")
        }
        do throws(PostgresFault) {
            try await transaction.query(
                """
                update auth.users u set email = next.email,
                    email_confirmed_at = case when next.email is null then null else now() end
                from (select (select i.email from auth.identities i
                        where i.user_id = \(bind: user.id) and i.email is not null
                            and (i.identity_data ->> 'email_verified')::boolean
                        order by i.created_at, i.id limit 1) as email) as next
                where u.id = \(bind: user.id) and not exists (
                    select from auth.identities i where i.user_id = u.id and i.email = lower(u.email))
                """)
        } catch {
            guard error.sqlState == "23505" else { throw error }
            throw AuthFault(
                422, "email_conflict_identity_not_deletable",
                "Unable to unlink identity due to email conflict")
        }
    }
}

/// The page that asks whether two accounts are one person's.
enum LinkPage {
    static func make(flow: String, ticket: String, _ account: ProviderAccount, _ user: AuthUser) -> String {
        let mine = user.email ?? user.phone ?? "this account"
        let theirs = account.email ?? account.data["name"]?.text ?? account.subject
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Link accounts</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto 0;max-width:26em;padding:0 1em;
            text-align:center;color-scheme:light dark}button{font:inherit;padding:.7em 2em;border:0;border-radius:.5em;
            background:#2b5fd9;color:#fff;cursor:pointer}</style></head>
            <body><h1>Link accounts</h1>
            <p>From now on <b>\(VerifyPage.escaped(theirs))</b> at \(VerifyPage.escaped(account.provider)) signs in to
            <b>\(VerifyPage.escaped(mine))</b>. If that is not your account, close this page.</p>
            <form method="post" action="callback/link"><input type="hidden" name="flow" value="\(flow)">
            <input type="hidden" name="ticket" value="\(ticket)">
            <button type="submit">Link</button></form></body></html>
            """
    }
}

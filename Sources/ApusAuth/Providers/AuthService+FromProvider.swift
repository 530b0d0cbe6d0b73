import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

extension AuthService {
    /// `GET` and `POST /callback`: somebody comes back from a provider.
    package func callback(_ call: AuthCall) async throws -> AuthAnswer {
        // Apple posts a form; a parameter that stands in both places is not believed.
        let answer = try ProviderAnswer(call)
        guard let state = answer.state.flatMap(UUIDText.read) else {
            return lost(AuthFault(400, "bad_oauth_callback", "OAuth state parameter missing or invalid"))
        }
        let cookies = FlowCookie.digests(state, in: call.cookies)
        let rows = try await database.query(ProviderFlow.taking(state, cookies: cookies))
        guard let flow = ProviderFlow(state, rows, open: { try? self.unseal($0, flow: state) }) else {
            return try await untaken(state, cookies, call)
        }
        do {
            try await takeTry("token", settings.tokenTries, of: call)
            let provider = try provider(named: flow.provider)
            let account = try await account(answer, flow, provider)
            return try await finish(flow, provider, account.account, account.tokens, call)
        } catch let fault as AuthFault {
            await record(
                AuditEvent("login", failure: fault.code, traits: ["provider": .string(flow.provider)]), call)
            return redirect(to: flow.redirectTo, fault: fault, isPKCE: flow.challenge != nil)
        }
    }

    // MARK: - Stages

    private func account(
        _ answer: ProviderAnswer, _ flow: ProviderFlow, _ provider: Provider
    ) async throws -> (account: ProviderAccount, tokens: ProviderExchange.Tokens) {
        let exchange = try await exchange(with: provider)
        // Another provider's answer to this one's question (mix-up, RFC 9207 §2.4).
        if let issuer = answer.issuer {
            guard issuer == exchange.document.issuer else {
                throw AuthFault(400, "bad_oauth_callback", "The answer is another provider's")
            }
        } else if exchange.document.namesItself {
            throw AuthFault(400, "bad_oauth_callback", "The answer does not name the provider")
        }
        if let error = answer.error {
            throw AuthFault(
                403, error == "access_denied" ? "access_denied" : "bad_oauth_callback", answer.description)
        }
        guard let code = answer.code else {
            throw AuthFault(400, "bad_oauth_callback", "OAuth code parameter missing")
        }
        let tokens = try await exchange.tokens(code: code, verifier: flow.verifier)
        var account = try await exchange.account(tokens, nonce: flow.nonce)
        // Apple tells the name once, beside the token and unsigned: good for a name, and for nothing else.
        if let name = answer.appleName { account = account.named(name) }
        return (account, tokens)
    }

    /// Signs in or links, and sends the browser where the client wants it.
    private func finish(
        _ flow: ProviderFlow, _ provider: Provider, _ account: ProviderAccount,
        _ tokens: ProviderExchange.Tokens, _ call: AuthCall
    ) async throws -> AuthAnswer {
        if let target = flow.linkingTarget { return try await prepareLinking(flow, account, to: target) }
        try await admit(account, call)
        let event = AuditEvent("login", traits: ["method": "oauth", "provider": .string(provider.name)])
        let outcome: ProviderOutcome? = try await database.transaction { transaction in
            let arrival = try await self.arrive(
                account, of: provider, redirectTo: flow.redirectTo, call, in: transaction)
            guard case .user(let user) = arrival else { return nil }
            var event = event
            event.user = user
            try await transaction.query(self.recording(event, call))
            if flow.challenge != nil {
                return .code(try await self.issueCode(flow, user, tokens, in: transaction))
            }
            var pending = try await self.openSession(user: user, method: "oauth", call: call, in: transaction)
            pending.more["provider_token"] = .string(tokens.access)
            if let refresh = tokens.refresh { pending.more["provider_refresh_token"] = .string(refresh) }
            return .session(pending)
        }
        switch outcome {
        case .code(let pair):
            return .redirect(Self.adding(pair, toQueryOf: flow.redirectTo), status: 302)
        case .session(let pending):
            let fragment = try await issue(pending).fragment(type: nil)
            return .redirect(flow.redirectTo + "#" + fragment, status: 302)
        case nil:
            throw AuthFault(
                422, "provider_email_needs_verification",
                "Unverified email with \(provider.name). A confirmation email has been sent to your email")
        }
    }

    /// What somebody who comes back from a provider gets.
    private enum ProviderOutcome: Sendable {
        /// `code=…`
        case code(String)
        case session(PendingGrant)
    }

    /// `code=…`, to be exchanged by whoever made the challenge; the provider's tokens wait with it, sealed.
    private func issueCode(
        _ flow: ProviderFlow, _ user: String, _ tokens: ProviderExchange.Tokens,
        in transaction: AuthTransaction
    ) async throws -> String {
        let code = UUIDText.random()
        let issued = try await transaction.query(
            CodeExchange.issuing(code, flow: flow.id, user: user, method: "oauth"))
        guard issued.count == 1 else {
            throw AuthFault(422, "flow_state_expired", "invalid flow state, flow state has expired")
        }
        let access = try seal(tokens.access, flow: flow.id)
        let refresh = try tokens.refresh.map { try seal($0, flow: flow.id) }
        try await transaction.query(
            """
            update auth.flow_state set provider_access_token = \(bind: access),
                provider_refresh_token = \(bind: SQLValue(refresh))
            where id = \(bind: flow.id)
            """)
        return "code=\(code)"
    }

    // MARK: - Failing

    /// A flow that was not there for this browser: used, over, never begun, or another's.
    private func untaken(_ state: String, _ cookies: [String], _ call: AuthCall) async throws -> AuthAnswer {
        let rows = try await database.query(ProviderFlow.explaining(state, cookies: cookies))
        let isUsed = rows.bool(0, 2) == true
        let fault =
            isUsed
            ? AuthFault(400, "flow_state_already_used", "This sign-in was already completed")
            : AuthFault(400, "bad_oauth_state", "OAuth callback with invalid state")
        await record(AuditEvent("login", failure: fault.code), call)
        guard let target = rows.string(0, 0) else { return lost(fault) }
        return redirect(to: target, fault: fault, isPKCE: rows.bool(0, 1) == true)
    }

    /// Nobody knows where this browser came from; the site's own page may say something.
    private func lost(_ fault: AuthFault) -> AuthAnswer {
        redirect(to: settings.siteURL, fault: fault, isPKCE: false)
    }

    // MARK: - Secrets of a flow

    func seal(_ text: String, flow: String) throws -> String {
        Base64URL.encode(try masterKeys.seal(Array(text.utf8), context: Self.flowContext(flow)))
    }

    func unseal(_ sealed: String, flow: String) throws -> String {
        guard let bytes = Base64URL.decode(sealed.utf8) else { throw AuthFault.unexpected }
        return String(decoding: try masterKeys.open(bytes, context: Self.flowContext(flow)), as: UTF8.self)
    }
}

/// What a provider sends along with the browser (RFC 6749 §4.1.2, RFC 9207 §2).
struct ProviderAnswer: Sendable {
    var state: String?
    var code: String?
    var error: String?
    /// For a person.
    var description: String
    var issuer: String?
    /// What Apple says in `user`, once.
    var appleName: String?

    /// - Throws: `bad_oauth_callback` for a parameter that stands in query and form.
    init(_ call: AuthCall) throws(AuthFault) {
        func value(_ name: String, limit: Int) throws(AuthFault) -> String? {
            let posted = call.isForm ? try call.text(name, limit: limit) : nil
            let asked = call.query[name].flatMap { $0.isEmpty ? nil : $0 }
            guard posted == nil || asked == nil, (asked?.utf8.count ?? 0) <= limit else {
                throw AuthFault(400, "bad_oauth_callback", "OAuth callback with a doubtful \(name)")
            }
            return posted ?? asked
        }
        state = try value("state", limit: 128)
        code = try value("code", limit: 4_096)
        error = try value("error", limit: 128)
        issuer = try value("iss", limit: 2_048)
        let text = try value("error_description", limit: 4_096) ?? error ?? ""
        description = String(
            text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(200).map {
                Character($0)
            })
        if let user = try value("user", limit: 4_096),
            let json = try? JSONReader.read(Array(user.utf8)).object,
            let name = json["name"]?.object
        {
            let parts = [name["firstName"]?.text, name["lastName"]?.text].compactMap { $0 }.filter {
                !$0.isEmpty
            }
            appleName = parts.isEmpty ? nil : String(parts.joined(separator: " ").prefix(200))
        }
    }
}

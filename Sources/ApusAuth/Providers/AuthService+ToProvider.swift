import ApusJSON

extension AuthService {
    /// `GET /authorize?provider=`: to a provider, and back to `/callback`.
    package func authorize(_ call: AuthCall) async throws -> AuthAnswer {
        let target = redirects.allowed(call.redirectTo)
        do {
            try await takeTry("token", settings.tokenTries, of: call)
            let provider = try provider(named: call.query["provider"])
            let challenge = try CodeExchange.challenge(of: call)
            let flow = ProviderFlow(
                provider: provider.name, redirectTo: target, challenge: challenge, needsCookie: true)
            let cookie = FlowCookie.make()
            var answer = AuthAnswer.redirect(
                try await begin(flow, provider, cookie: cookie, call), status: 302)
            answer.fields.append(FlowCookie.field(flow.id, cookie, externalURL: settings.externalURL))
            return answer
        } catch let fault as AuthFault where fault.status >= 500 {
            return redirect(to: target, fault: fault, isPKCE: call.query["code_challenge"] != nil)
        }
    }

    /// `GET /user/identities/authorize?provider=`: the same for somebody signed in who wants one more identity. The
    /// client fetches the address itself, so there is no cookie to bind what comes back to the browser; the client's
    /// challenge does, or else a page that asks.
    package func authorizeLinking(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        try requireLinking(caller)
        let provider = try provider(named: call.query["provider"])
        let flow = ProviderFlow(
            provider: provider.name, redirectTo: redirects.allowed(call.redirectTo),
            challenge: try CodeExchange.challenge(of: call), linkingTarget: caller.user.id, needsCookie: false
        )
        let address = try await begin(flow, provider, cookie: nil, call)
        return call.query["skip_http_redirect"] == "true"
            ? .json(["url": .string(address)]) : .redirect(address, status: 302)
    }

    // MARK: - Parts

    /// - Throws: `validation_failed` for what is not switched on.
    func provider(named name: String?) throws(AuthFault) -> Provider {
        guard let name, let provider = providers[name] else {
            throw AuthFault.invalid("Unsupported provider: provider is not enabled")
        }
        guard !provider.settings.clientIDs.isEmpty else {
            throw AuthFault.invalid("Unsupported provider: missing OAuth client ID")
        }
        return provider
    }

    /// What is asked of somebody who wants to change how they sign in.
    func requireLinking(_ caller: Caller) throws(AuthFault) {
        guard settings.allowsManualLinking else {
            throw AuthFault(404, "manual_linking_disabled", "Manual linking is disabled")
        }
        guard !caller.user.hasVerifiedFactor || caller.session.assurance == "aal2" else {
            throw AuthFault(403, "insufficient_aal", "AAL2 required to change identities")
        }
    }

    func exchange(with provider: Provider) async throws -> ProviderExchange {
        ProviderExchange(
            provider: provider, document: try await providers.document(of: provider), directory: providers,
            redirectURI: provider.settings.redirectURI ?? settings.externalURL + "/callback", now: Int(now()))
    }

    /// Keeps a flow, and returns where it goes.
    private func begin(
        _ flow: ProviderFlow, _ provider: Provider, cookie: String?, _ call: AuthCall
    ) async throws -> String {
        let exchange = try await exchange(with: provider)
        try await database.query(
            flow.storing(sealed: try seal(flow.verifier, flow: flow.id), cookie: cookie))
        let scopes = (call.query["scopes"] ?? "").split(whereSeparator: { $0 == " " || $0 == "," }).prefix(32)
            .map(String.init).filter(Self.isScope)
        return exchange.address(flow, scopes: scopes, extras: Self.extras(call))
    }

    /// What a client may add for the provider; nothing of it can change where the answer goes or whom it is for.
    private static func extras(_ call: AuthCall) -> [(String, String)] {
        let allowed = [
            "access_type", "display", "domain_hint", "hd", "include_granted_scopes", "login_hint", "max_age",
            "prompt",
            "ui_locales",
        ]
        return allowed.compactMap { name in
            call.query[name].flatMap { $0.utf8.count <= 512 ? (name, $0) : nil }
        }
    }

    /// RFC 6749 §3.3
    private static func isScope(_ text: String) -> Bool {
        text.utf8.count <= 256
            && text.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}

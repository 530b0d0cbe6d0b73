import ApusJSON
import ApusTokens

extension AuthService {
    /// `POST /token?grant_type=id_token`: a token that an app got from a provider's library on the device.
    package func signInWithIDToken(_ call: AuthCall, _ caller: Caller?) async throws -> AuthAnswer {
        try await takeTry("token", settings.tokenTries, of: call)
        let account: ProviderAccount
        let provider: Provider
        do {
            provider = try providerOfIDToken(call)
            account = try await verifiedAccount(call, provider)
        } catch let fault as AuthFault {
            await record(AuditEvent("login", failure: fault.code, traits: ["method": "id_token"]), call)
            throw fault
        }
        if try call.flag("link_identity") == true {
            guard let caller else { throw AuthFault.noAuthorization }
            try requireLinking(caller)
            let pending = try await database.transaction { transaction in
                try await self.link(account, to: caller.user.id, call, in: transaction)
                return try await self.openSession(
                    user: caller.user.id, method: "oauth", call: call, in: transaction)
            }
            return try await issue(pending).answer
        }
        try await admit(account, call)
        let event = AuditEvent("login", traits: ["method": "id_token", "provider": .string(provider.name)])
        let pending: PendingGrant? = try await database.transaction { transaction in
            let arrival = try await self.arrive(
                account, of: provider, redirectTo: self.settings.siteURL, call, in: transaction)
            guard case .user(let user) = arrival else { return nil }
            var event = event
            event.user = user
            try await transaction.query(self.recording(event, call))
            return try await self.openSession(user: user, method: "oauth", call: call, in: transaction)
        }
        guard let pending else {
            throw AuthFault(
                422, "provider_email_needs_verification",
                "Unverified email with \(provider.name). A confirmation email has been sent to your email")
        }
        return try await issue(pending).answer
    }

    // MARK: - Non public

    /// The provider that the client names. Which issuer's keys count follows from the configuration of that provider
    /// and never from the token (CVE-2026-31813).
    private func providerOfIDToken(_ call: AuthCall) throws(AuthFault) -> Provider {
        let found: Provider?
        if let name = try call.text("provider", limit: 128) {
            found = providers[name]
        } else if let issuer = try call.text("issuer"), let client = try call.text("client_id") {
            found = providers.provider(issuer: issuer, client: client)
        } else {
            throw IDTokenCheck.bad("provider or client_id and issuer required")
        }
        guard let found, found.isOpenID, !found.settings.clientIDs.isEmpty else {
            throw AuthFault(400, "provider_disabled", "Provider is not enabled", isOAuth: false)
        }
        return found
    }

    private func verifiedAccount(_ call: AuthCall, _ provider: Provider) async throws -> ProviderAccount {
        guard let token = try call.text("id_token", limit: 16_384) else {
            throw IDTokenCheck.bad("id_token required")
        }
        let nonce = try call.text("nonce", limit: 512)
        let claims: JSONObject
        do {
            claims = try await providers.claims(of: token, from: provider)
        } catch is TokenFault {
            throw IDTokenCheck.bad("Bad ID token")
        }
        var check = IDTokenCheck(
            provider: provider, issuer: try await providers.document(of: provider).issuer,
            nonce: provider.settings.skipsNonce ? .any : .digestOf(nonce), now: Int(now()))
        check.accessToken = try call.text("access_token", limit: 16_384)
        try check.check(claims)
        return ProviderAccount(claims, of: provider)
    }
}

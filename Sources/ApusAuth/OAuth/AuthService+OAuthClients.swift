import ApusJSON
import ApusPostgres
import ApusSQL
import ApusTokens

/// Clients, registered by administrators (`/admin/oauth/clients`) or, where that is allowed, by themselves (RFC 7591).
extension AuthService {
    /// `GET /admin/oauth/clients`
    package func oauthClients(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        try requireOAuth()
        let page = max(1, call.query["page"].flatMap { Int($0) } ?? 1)
        let size = min(500, max(1, call.query["per_page"].flatMap { Int($0) } ?? 50))
        let rows = try await database.query(
            """
            select \(OAuthClient.columns) from auth.oauth_clients c where c.deleted_at is null
            order by c.created_at, c.id limit \(bind: size)::int offset \(bind: (page - 1) * size)::bigint
            """)
        let clients = (0..<rows.count).compactMap { OAuthClient(rows, row: $0) }
        return .json(["clients": .array(clients.map { .object($0.json) }), "aud": "authenticated"])
    }

    /// `POST /admin/oauth/clients`
    package func registerClient(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        try requireOAuth()
        let metadata = try ClientMetadata(call, isAdministrator: true)
        return try await register(
            metadata, "manual", AuditEvent("oauth_client_created", administrator: administrator.role), call)
    }

    /// `POST /oauth/clients/register`: clients that register themselves have no secret to lose unless they ask for one,
    /// no resources and no way around consent.
    package func registerClient(_ call: AuthCall) async throws -> AuthAnswer {
        try requireOAuth()
        guard settings.oauth.allowsDynamicRegistration else {
            throw AuthFault(
                403, "oauth_dynamic_client_registration_disabled", "Dynamic client registration is disabled")
        }
        try await takeTry("client registration", 10, of: call)
        let metadata = try ClientMetadata(call, isAdministrator: false)
        return try await register(metadata, "dynamic", AuditEvent("oauth_client_created"), call)
    }

    /// `GET /admin/oauth/clients/:client_id`
    package func oauthClient(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        .json(.object(try await namedClient(call).json))
    }

    /// `PUT /admin/oauth/clients/:client_id`: what is not given stays.
    package func updateClient(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        let client = try await namedClient(call)
        let new = try ClientMetadata(call, isAdministrator: true, of: client)
        guard new.isPublic == client.isPublic else {
            throw AuthFault.invalid("A client cannot change between public and confidential")
        }
        try await database.run([
            """
            update auth.oauth_clients set client_name = \(bind: new.name), client_uri = \(bind: SQLValue(new.uri)),
                logo_uri = \(bind: SQLValue(new.logo)), redirect_uris = \(bind: new.redirectURIs.joined(separator: ",")),
                grant_types = \(bind: new.grantTypes.joined(separator: ",")),
                token_endpoint_auth_method = \(bind: new.authentication),
                scope = \(bind: new.scopes.joined(separator: " ")),
                resources = string_to_array(\(bind: new.resources.joined(separator: " ")), ' '),
                skips_consent = \(bind: String(new.skipsConsent))::boolean, updated_at = now()
            where id = \(bind: client.id)::uuid
            """,
            recording(Self.change("updated", of: client.id, administrator), call),
        ])
        return .json(.object(try await namedClient(call).json))
    }

    /// `DELETE /admin/oauth/clients/:client_id`: its sessions end with it.
    package func removeClient(_ call: AuthCall, _ administrator: Administrator) async throws -> AuthAnswer {
        let client = try await namedClient(call)
        try await database.run([
            "update auth.oauth_clients set deleted_at = now() where id = \(bind: client.id)::uuid",
            "delete from auth.sessions where oauth_client_id = \(bind: client.id)::uuid",
            "delete from auth.oauth_consents where client_id = \(bind: client.id)::uuid",
            recording(Self.change("deleted", of: client.id, administrator), call),
        ])
        return .noContent
    }

    /// `POST /admin/oauth/clients/:client_id/regenerate_secret`
    package func renewClientSecret(
        _ call: AuthCall, _ administrator: Administrator
    ) async throws -> AuthAnswer {
        let client = try await namedClient(call)
        guard !client.isPublic else { throw AuthFault.invalid("Public clients have no secret") }
        let secret = Base64URL.encode(RandomBytes.make(32))
        try await database.run([
            """
            update auth.oauth_clients set client_secret_hash = \(bind: OAuthClient.hash(secret: secret)),
                updated_at = now() where id = \(bind: client.id)::uuid
            """,
            recording(Self.change("secret_renewed", of: client.id, administrator), call),
        ])
        var json = client.json
        json["client_secret"] = .string(secret)
        return .json(.object(json))
    }

    /// - Throws: 404 when the identity provider is off.
    func requireOAuth() throws(AuthFault) {
        guard settings.oauth.isEnabled else {
            throw AuthFault(404, "feature_disabled", "The identity provider is switched off")
        }
    }

    // MARK: - Non public

    private static func change(
        _ what: String, of client: String, _ administrator: Administrator
    ) -> AuditEvent {
        AuditEvent(
            "oauth_client_" + what, administrator: administrator.role, traits: ["client_id": .string(client)])
    }

    private func namedClient(_ call: AuthCall) async throws -> OAuthClient {
        try requireOAuth()
        guard let client = try await oauthClient(call.path["client_id"]) else {
            throw AuthFault(404, "oauth_client_not_found", "OAuth client not found")
        }
        return client
    }

    private func register(
        _ metadata: ClientMetadata, _ registration: String, _ event: AuditEvent, _ call: AuthCall
    ) async throws -> AuthAnswer {
        let id = UUIDText.random()
        var event = event
        event.traits["client_id"] = .string(id)
        let secret = metadata.isPublic ? nil : Base64URL.encode(RandomBytes.make(32))
        try await database.run([
            """
            insert into auth.oauth_clients (id, client_secret_hash, registration_type, redirect_uris, grant_types,
                client_name, client_uri, logo_uri, client_type, token_endpoint_auth_method, scope, resources,
                skips_consent)
            values (\(bind: id)::uuid, \(bind: SQLValue(secret.map { OAuthClient.hash(secret: $0) })),
                \(bind: registration)::auth.oauth_registration_type,
                \(bind: metadata.redirectURIs.joined(separator: ",")),
                \(bind: metadata.grantTypes.joined(separator: ",")), \(bind: metadata.name),
                \(bind: SQLValue(metadata.uri)), \(bind: SQLValue(metadata.logo)),
                \(bind: metadata.isPublic ? "public" : "confidential")::auth.oauth_client_type,
                \(bind: metadata.authentication), \(bind: metadata.scopes.joined(separator: " ")),
                string_to_array(\(bind: metadata.resources.joined(separator: " ")), ' '),
                \(bind: String(metadata.skipsConsent))::boolean)
            """,
            recording(event, call),
        ])
        guard let client = try await oauthClient(id) else { throw AuthFault.unexpected }
        var json = client.json
        if let secret {
            json["client_secret"] = .string(secret)
            json["client_secret_expires_at"] = .int(0)
        }
        return .json(.object(json), status: 201)
    }
}

/// What a client says of itself (RFC 7591 §2), checked.
private struct ClientMetadata: Sendable {
    var name: String
    var uri: String?
    var logo: String?
    var redirectURIs: [String]
    var grantTypes: [String]
    var authentication: String
    var scopes: [String]
    var resources: [String]
    var skipsConsent: Bool

    var isPublic: Bool { authentication == "none" }

    private static let methods = ["none", "client_secret_basic", "client_secret_post"]
    private static let grants = ["authorization_code", "refresh_token"]

    init(_ call: AuthCall, isAdministrator: Bool, of known: OAuthClient? = nil) throws {
        name = try call.text("client_name", limit: 256) ?? known?.name ?? ""
        guard !name.isEmpty else { throw AuthFault.invalid("client_name is required") }
        uri = try Self.page(call, "client_uri") ?? known?.uri
        logo = try Self.page(call, "logo_uri") ?? known?.logo
        redirectURIs = try Self.list(call, "redirect_uris") ?? known?.redirectURIs ?? []
        // A comma divides them where they are kept.
        guard (1...20).contains(redirectURIs.count),
            redirectURIs.allSatisfy({ RedirectURI.isRegistrable($0) && !$0.contains(",") })
        else {
            throw AuthFault(
                400, isAdministrator ? "validation_failed" : "invalid_redirect_uri",
                "redirect_uris must be 1 to 20 absolute https URLs, loopback http URLs or app schemes, without fragment",
                isOAuth: !isAdministrator)
        }
        grantTypes = try Self.list(call, "grant_types") ?? known?.grantTypes ?? Self.grants
        guard grantTypes.contains("authorization_code"), grantTypes.allSatisfy({ Self.grants.contains($0) })
        else {
            throw AuthFault.invalid("grant_types must be authorization_code, and refresh_token if wanted")
        }
        for type in try Self.list(call, "response_types") ?? [] where type != "code" {
            throw AuthFault.invalid("response_types must be code")
        }
        let isPublicType = try call.text("client_type") == "public"
        authentication =
            try call.text("token_endpoint_auth_method") ?? known?.authentication
            ?? (isPublicType ? "none" : "client_secret_basic")
        guard Self.methods.contains(authentication), !isPublicType || authentication == "none" else {
            throw AuthFault.invalid(
                "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post")
        }
        scopes =
            try (call.text("scope").map { $0.split(separator: " ").map { String($0) } }) ?? known?.scopes
            ?? []
        guard scopes.allSatisfy({ OAuthSettings.scopes.contains($0) }) else {
            throw AuthFault.invalid("scope may hold " + OAuthSettings.scopes.joined(separator: ", "))
        }
        resources = isAdministrator ? try Self.list(call, "resources") ?? known?.resources ?? [] : []
        guard resources.count <= 20, resources.allSatisfy({ Self.isResource($0) }) else {
            throw AuthFault.invalid("resources must be absolute URIs without fragment")
        }
        skipsConsent = isAdministrator ? try call.flag("skip_consent") ?? known?.skipsConsent ?? false : false
    }

    private static func list(_ call: AuthCall, _ name: String) throws -> [String]? {
        switch call.body[name] {
        case nil, .null: return nil
        case .array(let items):
            let texts = items.compactMap(\.text)
            guard texts.count == items.count else {
                throw AuthFault.invalid("\(name) must be an array of strings")
            }
            return texts
        default: throw AuthFault.invalid("\(name) must be an array of strings")
        }
    }

    private static func page(_ call: AuthCall, _ name: String) throws -> String? {
        guard let text = try call.text(name, limit: 2048) else { return nil }
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
            throw AuthFault.invalid("\(name) must be a URL")
        }
        return text
    }

    /// RFC 8707 §2.
    private static func isResource(_ text: String) -> Bool {
        text.utf8.count <= 2048 && text.contains(":") && !text.contains("#")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") }
    }
}

import ApusAuth
import ApusTestSupport
import ApusTokens
import Foundation
import Logging
import Testing

/// A server with authentication, as its clients see it.
///
/// Limits are off unless a test asks for them: all tests call from one address.
struct AuthServer: Sendable {
    let server: TestServer

    static let prefix = "/auth/v1"

    /// - Parameter changes: settings over those that all tests of authentication share.
    static func start(_ changes: [String: String] = [:]) async throws -> AuthServer {
        AuthServer(server: try await TestServer.start(settings(changes)))
    }

    /// A second node on the same database.
    func anotherNode(_ changes: [String: String] = [:]) async throws -> AuthServer {
        AuthServer(server: try await TestServer.start(on: server.database, Self.settings(changes)))
    }

    /// Confirms addresses at once.
    static let confirming = Task { try await AuthServer.start(["auth-mailer-autoconfirm": "true"]) }
    /// Sends mails; see ``mail(to:)``.
    static let mailing = Task { try await AuthServer.start() }

    static func settings(_ changes: [String: String]) -> [String: String] {
        let all = [
            "auth-encryption-key": Self.key, "auth-site-url": "https://app.example.com",
            "auth-external-url": "https://api.example.com/auth/v1",
            "auth-uri-allow-list": "https://*.example.org/**,myapp://callback",
            "auth-external-phone-enabled": "true", "auth-external-anonymous-users-enabled": "true",
        ]
        return all.merging(changes) { $1 }
    }

    static let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()

    func stop() async { await server.stop() }

    // MARK: - Messages

    /// The newest message to somebody, once it is there.
    func message(
        to recipient: String, after count: Int = 0
    ) async throws -> (link: String, code: String, subject: String) {
        let query = "select count(*) from apus.inbox where recipient like '%\(recipient)'"
        let isThere = try await eventually { Int(try await server.database.value(query) ?? "0") ?? 0 > count }
        try #require(isThere, "no message to \(recipient)")
        let newest = "from apus.inbox where recipient like '%\(recipient)' order by received_at desc limit 1"
        func value(_ column: String) async throws -> String {
            try await server.database.value("select \(column) \(newest)") ?? ""
        }
        return (try await value("link"), try await value("code"), try await value("subject"))
    }

    /// How many messages went to somebody, once all that were queued are delivered.
    func messages(to recipient: String) async throws -> Int {
        let waiting = "select count(*) from apus.messages where failed_at is null"
        #expect(try await eventually { try await server.database.value(waiting) == "0" })
        let count = try await server.database.value(
            "select count(*) from apus.inbox where recipient like '%\(recipient)'")
        return Int(count ?? "0") ?? 0
    }

    // MARK: - Requests

    static let version = ["X-Supabase-Api-Version": "2024-01-01"]

    func post(
        _ path: String, _ body: JSON = [:], as token: String? = nil, _ fields: [String: String] = version
    ) async -> Reply {
        await server.send(.post, Self.prefix + path, as: token, fields, body: body.written)
    }

    func put(_ path: String, _ body: JSON, as token: String?) async -> Reply {
        await server.send(.put, Self.prefix + path, as: token, Self.version, body: body.written)
    }

    func get(
        _ path: String, as token: String? = nil, _ fields: [String: String] = version
    ) async -> Reply {
        await server.send(.get, Self.prefix + path, as: token, fields)
    }

    func delete(_ path: String, _ body: JSON = [:], as token: String?) async -> Reply {
        await server.send(.delete, Self.prefix + path, as: token, Self.version, body: body.written)
    }

    /// A form, as a page sends it.
    func submit(_ path: String, _ fields: [(String, String)]) async -> Reply {
        let allowed = CharacterSet.alphanumerics
        let body = fields.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        }.joined(separator: "&")
        return await server.send(
            .post, Self.prefix + path, ["Content-Type": "application/x-www-form-urlencoded"], body: body)
    }

    // MARK: - People

    static let password = "a horse of another colour"

    /// An address that no other test has.
    static func address() -> String { "someone-\(UUID().uuidString.lowercased())@example.net" }

    /// A number that no other test has.
    static func number() -> String { "49" + String(Int.random(in: 1_000_000_000...9_999_999_999)) }

    /// Somebody with a confirmed address and a password.
    func person(_ email: String = address()) async throws -> SignedIn {
        let made = await post(
            "/admin/users",
            ["email": .string(email), "password": .string(Self.password), "email_confirm": true],
            as: Token.service)
        try #require(made.status == 200, "\(made.text)")
        return try await signIn(email)
    }

    func signIn(_ email: String, password: String = password) async throws -> SignedIn {
        let reply = await post(
            "/token?grant_type=password", ["email": .string(email), "password": .string(password)])
        try #require(reply.status == 200, "\(reply.text)")
        return try SignedIn(reply.json)
    }

    func refresh(_ token: String) async -> Reply {
        await post("/token?grant_type=refresh_token", ["refresh_token": .string(token)])
    }

    /// What an administrator gets for an address.
    func link(
        _ type: String, _ email: String, _ more: [String: JSON] = [:]
    ) async throws -> (hash: String, code: String) {
        let body = JSON.object(["type": .string(type), "email": .string(email)].merging(more) { $1 })
        let reply = await post("/admin/generate_link", body, as: Token.service)
        try #require(reply.status == 200, "\(reply.text)")
        return (
            try #require(try reply.json["hashed_token"]?.text),
            try #require(try reply.json["email_otp"]?.text)
        )
    }
}

/// Somebody signed in.
struct SignedIn: Sendable {
    let id: String
    let email: String
    let access: String
    let refresh: String
    let json: JSON

    init(_ session: JSON) throws {
        json = session
        id = try #require(session["user"]?["id"]?.text)
        email = try #require(session["user"]?["email"]?.text)
        access = try #require(session["access_token"]?.text)
        refresh = try #require(session["refresh_token"]?.text)
    }

    var session: String { claims["session_id"]?.text ?? "" }

    /// What the access token says.
    var claims: JSON { Self.decode(access.split(separator: ".")[1]) }

    fileprivate static func decode(_ part: Substring) -> JSON {
        (try? JSON(Base64URL.decode(part.utf8) ?? [])) ?? .null
    }
}

extension AuthServer {
    /// Rotates the key ring as the command does, beside the server.
    func rotateKeys() async throws -> (current: String, previous: String) {
        let current = try #require(
            try await server.database.value("select id from auth.signing_keys where state = 'current'"))
        let next = try await ring { try await $0.rotate() }
        return (next, current)
    }

    func revokeKey(_ id: String) async throws {
        let isRevoked = try await ring { try await $0.revoke(id) }
        #expect(isRevoked)
    }

    private func ring<R: Sendable>(_ body: @Sendable (KeyRing) async throws -> R) async throws -> R {
        let master = try #require(Data(base64Encoded: Self.key).flatMap { MasterKeys([Array($0)]) })
        return try await server.database.withOwner { owner in
            try await body(
                KeyRing(
                    database: AuthDatabase(owner), masterKeys: master, trust: TokenTrust(), shared: nil,
                    logger: Logger(label: "keys")))
        }
    }
}

extension SignedIn {
    /// The header of the access token.
    var header: JSON { Self.decode(access.split(separator: ".")[0]) }
}

import ApusAuth
import ApusTestSupport
import Testing

/// Keys with names: each stands for a role, and goes alone.
@Suite struct APIKeyTests {
    /// By a notification alone: nothing asks again after a while.
    @Test func `R22: a revoked key is refused by every node, and the others stay`() async throws {
        let one = try await AuthServer.start()
        let other = try await one.anotherNode()
        let (leaked, kept) = (try await one.makeKey("leaked"), try await one.makeKey("kept"))
        for node in [one, other] {
            for key in [leaked, kept] { #expect(try await node.accepts(key)) }
            #expect(try await node.server.get("rpc/caller", as: leaked).json["role"] == "service_role")
        }
        #expect(try await one.register { try await $0.revoke("leaked") })
        for node in [one, other] {
            #expect(try await eventually { await node.server.get("rpc/caller", as: leaked).status == 401 })
            #expect(await node.server.get("rpc/caller", as: leaked).code == "PGRST301")
            #expect(await node.server.get("rpc/caller", as: kept).status == 200)
            #expect(await node.get("/admin/users", as: leaked).status == 401)
        }
        let late = try await one.anotherNode()
        #expect(await late.server.get("rpc/caller", as: leaked).status == 401)
        #expect(await late.server.get("rpc/caller", as: kept).status == 200)
        for node in [late, other, one] { await node.stop() }
    }

    @Test func `A key that is deleted, expires or was never made names nobody`() async throws {
        let auth = try await AuthServer.start()
        let (deleted, short) = (try await auth.makeKey("deleted"), try await auth.makeKey("short"))
        for key in [deleted, short] { #expect(try await auth.accepts(key)) }
        try await auth.server.database.run(
            """
            delete from auth.api_keys where name = 'deleted';
            update auth.api_keys set expires_at = now() where name = 'short';
            """)
        for key in [deleted, short] {
            #expect(try await eventually { await auth.server.get("rpc/caller", as: key).status == 401 })
        }
        let forged = ["sb_secret_", "sb_", "sb_secret_" + String(repeating: "A", count: 43), kept(short)]
        for key in forged {
            #expect(await auth.server.get("rpc/caller", as: key).status == 401, "\(key)")
            #expect(await auth.server.get("rpc/caller", ["apikey": key]).status == 401, "\(key)")
        }
        await auth.stop()
    }

    @Test func `What the database holds opens nothing`() async throws {
        let auth = try await AuthServer.start()
        let key = try await auth.makeKey("hidden")
        #expect(try await auth.accepts(key))
        let row = try await auth.server.database.value("select k::text from auth.api_keys k") ?? ""
        #expect(!row.contains(key.dropFirst(10).prefix(20)))
        let digest = try await auth.server.database.value("select encode(digest, 'hex') from auth.api_keys")
        #expect(await auth.server.get("rpc/caller", as: "sb_secret_" + (digest ?? "")).status == 401)
        await auth.stop()
    }

    @Test func `A secret key is refused in a browser, a publishable one is for browsers`() async throws {
        let auth = try await AuthServer.start()
        let secret = try await auth.makeKey("backend")
        let publishable = try await auth.makeKey("app", role: "anon")
        #expect(publishable.hasPrefix("sb_publishable_") && secret.hasPrefix("sb_secret_"))
        for key in [secret, publishable] { #expect(try await auth.accepts(key)) }
        let browser = ["Sec-Fetch-Site": "cross-site"]
        #expect(await auth.server.get("rpc/caller", as: secret, browser).status == 401)
        #expect(await auth.server.get("rpc/caller", ["apikey": secret].merging(browser) { $1 }).status == 401)
        let seen = await auth.server.get("rpc/caller", ["apikey": publishable].merging(browser) { $1 })
        #expect(seen.status == 200)
        #expect(try seen.json["role"] == "anon")
        // Who is signed in comes with their own token, and the app's key beside it.
        let person = try await auth.person()
        let own = await auth.server.get("rpc/caller", as: person.access, ["apikey": publishable])
        #expect(try own.json["role"] == "authenticated")
        #expect(await auth.get("/admin/users", as: publishable).code == "not_admin")
        await auth.stop()
    }

    @Test func `The audit log names the key, and the key's use is noted`() async throws {
        let auth = try await AuthServer.start()
        let key = try await auth.makeKey("nightly report")
        #expect(try await auth.register { try await $0.entries().map(\.lastUsed) } == [nil])
        #expect(try await auth.accepts(key))
        let made = await auth.post("/admin/users", ["email": .string(AuthServer.address())], as: key)
        #expect(made.status == 200, "\(made.text)")
        #expect(try await auth.register { try await $0.revoke("nightly report") })
        #expect(try await auth.register { try await $0.revoke("nightly report") } == false)
        let story = try await auth.server.database.value(
            """
            select string_agg(payload ->> 'action', ' ' order by created_at) from auth.audit_log_entries
            where payload -> 'traits' ->> 'api_key' = 'nightly report'
            """)
        #expect(story == "api_key_created user_signedup api_key_revoked")
        let used = "select count(*) from auth.api_keys where last_used_at is not null"
        #expect(try await eventually { try await auth.server.database.value(used) == "1" })
        await auth.stop()
    }

    @Test func `Names are unique while they hold, plain, and of roles that exist`() async throws {
        let auth = try await AuthServer.start()
        _ = try await auth.makeKey("one")
        await #expect(throws: APIKeyRegister.Refusal.nameTaken) { try await auth.makeKey("one") }
        await #expect(throws: APIKeyRegister.Refusal.noSuchRole) {
            try await auth.makeKey("two", role: "nobody")
        }
        for name in ["", " padded", "two\nlines", "\u{202E}reversed", String(repeating: "n", count: 65)] {
            await #expect(throws: APIKeyRegister.Refusal.nameUnusable) { try await auth.makeKey(name) }
        }
        #expect(try await auth.register { try await $0.revoke("one") })
        _ = try await auth.makeKey("one")
        #expect(try await auth.register { try await $0.entries().map(\.name) } == ["one"])
        await auth.stop()
    }

    /// The same key with another last character.
    private func kept(_ key: String) -> String { key.dropLast() + (key.last == "A" ? "B" : "A") }
}

extension AuthServer {
    /// Makes a key as the command does, beside the server.
    @discardableResult
    func makeKey(_ name: String, role: String = "service_role") async throws -> String {
        try await register {
            try await $0.create(name, role: role, isPublishable: role == "anon", lifetime: nil)
        }
    }

    func register<R: Sendable>(_ body: @Sendable (APIKeyRegister) async throws -> R) async throws -> R {
        try await server.database.withOwner { try await body(APIKeyRegister(AuthDatabase($0))) }
    }

    /// Whether a key holds, once this node has heard of it.
    func accepts(_ key: String) async throws -> Bool {
        try await eventually { await self.server.get("rpc/caller", as: key).status == 200 }
    }
}

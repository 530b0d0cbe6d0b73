import ApusAuth
import ApusPostgres
import ApusTestSupport
import Testing

/// Limits that hold for all nodes together, and lock nobody out who has done nothing.
@Suite(.serialized) struct LimitTests {
    @Test func `Tries are counted by all nodes together`() async throws {
        let limits = ["auth-rate-limit-otp": "4"]
        let one = try await AuthServer.start(limits)
        let other = try await one.anotherNode(limits)
        var statuses: [Int] = []
        for node in [one, other, one, other, one, other] {
            statuses.append(await node.post("/recover", ["email": .string(AuthServer.address())]).status)
        }
        #expect(statuses == [200, 200, 200, 200, 429, 429])
        await other.stop()
        await one.stop()
    }

    @Test func `A client cannot name its own address; only trusted proxies can`() async throws {
        func statuses(_ hops: String, _ forwarded: (Int) -> String) async throws -> [Int] {
            let auth = try await AuthServer.start(["auth-rate-limit-otp": "2", "server-trusted-hops": hops])
            var statuses: [Int] = []
            for number in 0..<4 {
                statuses.append(
                    await auth.post(
                        "/recover", ["email": .string(AuthServer.address())], as: nil,
                        ["X-Forwarded-For": forwarded(number)]
                    ).status)
            }
            await auth.stop()
            return statuses
        }
        #expect(try await statuses("0") { "192.0.2.\($0)" } == [200, 200, 429, 429])
        // The last entry is the proxy's, what stands before it the client's.
        #expect(try await statuses("1") { "192.0.2.\($0), 198.51.100.7" } == [200, 200, 429, 429])
        #expect(try await statuses("1") { "198.51.100.7, 192.0.2.\($0)" } == [200, 200, 200, 200])
    }

    @Test func `Mails to one address are as rare for nobody's as for somebody's`() async throws {
        let auth = try await AuthServer.start(["auth-smtp-max-frequency": "60"])
        let person = try await auth.person()
        for email in [person.email, AuthServer.address()] {
            #expect(await auth.post("/recover", ["email": .string(email)]).status == 200)
            let again = await auth.post("/recover", ["email": .string(email)])
            #expect(again.status == 429 && again.code == "over_email_send_rate_limit")
            #expect(again.field("Retry-After") == "60")
        }
        await auth.stop()
    }

    @Test func `Who guesses has to wait, and the owner does not`() async throws {
        let auth = try await AuthServer.start(["server-trusted-hops": "1"])
        let person = try await auth.person()
        func signIn(_ password: String, from address: String) async -> Int {
            await auth.post(
                "/token?grant_type=password",
                ["email": .string(person.email), "password": .string(password)], as: nil,
                ["X-Forwarded-For": address]
            ).status
        }
        var statuses: [Int] = []
        for _ in 0..<20 { statuses.append(await signIn("wrong", from: "192.0.2.1")) }
        #expect(statuses.contains(429))
        #expect(await signIn(AuthServer.password, from: "192.0.2.1") == 429)
        #expect(await signIn(AuthServer.password, from: "198.51.100.9") == 200)
        await auth.stop()
    }

    @Test func `Strangers from everywhere cannot lock out an address that is signed in`() async throws {
        let auth = try await AuthServer.start(["server-trusted-hops": "1"])
        let person = try await auth.person()
        func signIn(_ password: String, from address: String) async -> Int {
            await auth.post(
                "/token?grant_type=password",
                ["email": .string(person.email), "password": .string(password)], as: nil,
                ["X-Forwarded-For": address]
            ).status
        }
        #expect(await signIn(AuthServer.password, from: "198.51.100.9") == 200)
        try await auth.server.database.run(
            "update auth.rate_limits set full_at = now() + interval '2 hours' where scope = 'strangers'")
        #expect(await signIn("wrong", from: "192.0.2.77") == 429)
        #expect(await signIn(AuthServer.password, from: "198.51.100.9") == 200)
        await auth.stop()
    }

    @Test func `More passwords at once than may wait are refused, and none is lost`() async throws {
        let auth = try await AuthServer.start(["auth-password-workers": "1", "auth-password-queue": "3"])
        let emails = (0..<12).map { _ in AuthServer.address() }
        let statuses = await withTaskGroup(of: Int.self) { group in
            for email in emails {
                group.addTask {
                    await auth.post(
                        "/token?grant_type=password", ["email": .string(email), "password": "wrong"]
                    ).status
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(statuses).isSubset(of: [400, 429]) && statuses.contains(400))
        await auth.stop()
    }

    @Test func `The audit log has what failed, names nobody, and shows what was changed`() async throws {
        let auth = try await AuthServer.start()
        let person = try await auth.person()
        _ = await auth.post(
            "/token?grant_type=password", ["email": .string(person.email), "password": "wrong"])
        let database = auth.server.database
        #expect(
            try await eventually {
                try await database.value("select count(*) from auth.audit_log_entries where number is null")
                    == "0"
            })
        let failed =
            "select count(*) from auth.audit_log_entries where payload::text like '%invalid_credentials%'"
        #expect(try await database.value(failed) == "1")
        let named =
            "select count(*) from auth.audit_log_entries where payload::text ~ '\(person.email)|\(person.id)'"
        #expect(try await database.value(named) == "0")
        #expect(try await firstBroken(database) == nil)
        try await database.run(
            "update auth.audit_log_entries set payload = '{\"action\": \"nothing\"}' where number = 2")
        #expect(try await firstBroken(database) == "2")
        await auth.stop()
    }

    private func firstBroken(_ database: FeatureDatabase) async throws -> String? {
        try await database.withOwner { try await $0.query(AuditChain.firstBroken).string(0, 0) }
    }
}

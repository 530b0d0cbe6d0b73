import Testing

@Suite struct RecoveryCodeTests {
    let server: TestServer

    init() async throws { server = try await AuthServers.factors.value }

    private func strongPerson() async throws -> (weak: Person, strong: Person) {
        let ada = try await Person.signUp(server)
        let strong = try await Authenticator.enrol(ada).strengthen(ada)
        return (try await ada.onAnotherDevice(), strong)
    }

    private func codes(_ reply: Reply) throws -> [String] {
        try reply.json["codes"]?.items.compactMap(\.text) ?? []
    }

    @Test func codesStandInForAFactorOnce() async throws {
        let (weak, strong) = try await strongPerson()
        #expect(await weak.post("/factors/recovery-codes").status == 403)
        let made = await strong.post("/factors/recovery-codes")
        let codes = try codes(made)
        #expect(codes.count == 10)
        #expect(try made.json["type"] == "recovery_code")

        let reply = await weak.post(
            "/factors/recovery-codes/verify", #"{"code": "\#(codes[0].uppercased())"}"#)
        #expect(reply.status == 200)
        var recovered = weak
        recovered.token = try #require(try reply.json["access_token"]?.text)
        #expect(recovered.claims["aal"] == "aal2")
        #expect(recovered.claims["amr"]?.all("method").contains("mfa/recovery_code") == true)

        let again = await strong.post("/factors/recovery-codes/verify", #"{"code": "\#(codes[0])"}"#)
        #expect(try again.json["error_code"] == "mfa_verification_failed")
        let status = try await strong.get("/factors/recovery-codes").json
        #expect(status["total"] == 10)
        #expect(status["remaining"] == 9)
        #expect(status["codes"] == nil)
    }

    /// CVE-2026-34224, CVE-2026-43930: parallel sign-ins with one recovery code.
    @Test func ofManyUsesAtOnceOneWins() async throws {
        let (weak, strong) = try await strongPerson()
        let code = try codes(await strong.post("/factors/recovery-codes"))[3]
        let statuses = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await weak.post("/factors/recovery-codes/verify", #"{"code": "\#(code)"}"#).status
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 200 } == 1)
    }

    @Test func newSetReplacesTheOldOne() async throws {
        let (_, strong) = try await strongPerson()
        let first = try codes(await strong.post("/factors/recovery-codes"))
        #expect(
            try await strong.post("/factors/recovery-codes").json["error_code"]
                == "mfa_verified_factor_exists")
        let second = try codes(await strong.post("/factors/recovery-codes/regenerate"))
        #expect(Set(first).isDisjoint(with: second))
        let old = await strong.post("/factors/recovery-codes/verify", #"{"code": "\#(first[0])"}"#)
        #expect(old.status == 422)
        #expect(await strong.delete("/factors/recovery-codes").status == 200)
        #expect(await strong.get("/factors/recovery-codes").status == 404)
    }

    /// Only digests are kept, and none of them says what the code is.
    @Test func codesAreNotKept() async throws {
        let (_, strong) = try await strongPerson()
        let codes = try codes(await strong.post("/factors/recovery-codes"))
        let kept = try await server.database.value(
            """
            select string_agg(c.code_hash::text, ',') from auth.mfa_recovery_codes c
            join auth.mfa_factors f on f.id = c.factor_id where f.user_id = '\(strong.id)'
            """)
        #expect(kept?.split(separator: ",").count == 10)
        #expect(!codes.contains { kept?.contains($0.replacing("-", with: "")) == true })
    }
}

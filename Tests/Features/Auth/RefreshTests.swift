import Testing

/// Refresh tokens: a counter in the session, and no row for each.
@Suite struct RefreshTests {
    let auth: AuthServer

    init() async throws { auth = try await AuthServer.confirming.value }

    @Test func `Each refresh gives new tokens of the same session, and adds no rows`() async throws {
        let person = try await auth.person()
        var token = person.refresh
        for _ in 0..<5 {
            let reply = await auth.refresh(token)
            #expect(reply.status == 200, "\(reply.text)")
            let next = try SignedIn(reply.json)
            #expect(next.session == person.session && next.refresh != token)
            token = next.refresh
        }
        let rows = try await auth.server.database.value(
            "select count(*) || ' ' || max(refresh_token_counter) from auth.sessions where user_id = '\(person.id)'"
        )
        #expect(rows == "1 5")
    }

    @Test func `Who never got the answer asks again and gets the newest, however late`() async throws {
        let person = try await auth.person()
        let first = try SignedIn(await auth.refresh(person.refresh).json)
        try await age(person)
        let again = await auth.refresh(person.refresh)
        #expect(try again.json["refresh_token"] == .string(first.refresh), "\(again.text)")
    }

    @Test func `Within the reuse interval an older token gives the newest too`() async throws {
        let person = try await auth.person()
        var token = person.refresh
        for _ in 0..<3 { token = try SignedIn(await auth.refresh(token).json).refresh }
        #expect(try await auth.refresh(person.refresh).json["refresh_token"] == .string(token))
    }

    @Test func `An older token later ends the session for thief and owner`() async throws {
        let person = try await auth.person()
        let second = try SignedIn(await auth.refresh(person.refresh).json)
        let third = try SignedIn(await auth.refresh(second.refresh).json)
        try await age(person)
        let thief = await auth.refresh(person.refresh)
        #expect(thief.status == 400)
        #expect(thief.code == "refresh_token_already_used")
        #expect(await auth.refresh(third.refresh).code == "refresh_token_not_found")
        #expect(await auth.get("/user", as: third.access).code == "session_not_found")
    }

    @Test func `Of fifty at once with one token all get the same successor`() async throws {
        let person = try await auth.person()
        let auth = auth
        let replies = await withTaskGroup(of: Reply.self) { group in
            for _ in 0..<50 { group.addTask { await auth.refresh(person.refresh) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies.allSatisfy { $0.status == 200 })
        #expect(try Set(replies.map { try $0.json["refresh_token"]?.text }).count == 1)
        let counter = try await auth.server.database.value(
            "select refresh_token_counter from auth.sessions where id = '\(person.session)'")
        #expect(counter == "1")
    }

    @Test(arguments: [
        "", "x", "AAAA", String(repeating: "A", count: 300),
        "APHA1Czi20D0gGkSgqh07ygAkuoZ8oC95v8RsXzRQzl9LNZftP4",
    ])
    func `A forged token is refused`(token: String) async throws {
        let reply = await auth.refresh(token)
        #expect(reply.status == 400)
        #expect(["refresh_token_not_found", "validation_failed"].contains(reply.code))
    }

    @Test func `A session ends by its own time, and without use`() async throws {
        for setting in ["auth-sessions-timebox", "auth-sessions-inactivity-timeout"] {
            let strict = try await AuthServer.start([setting: "60"])
            let person = try await strict.person()
            #expect(await strict.refresh(person.refresh).status == 200)
            try await strict.server.database.run(
                """
                update auth.sessions set created_at = now() - interval '2 minutes',
                    refreshed_at = now() at time zone 'UTC' - interval '2 minutes'
                """)
            #expect(await strict.refresh(person.refresh).code == "session_expired")
            await strict.stop()
        }
    }

    @Test func `Signing in elsewhere ends the session where only one is allowed`() async throws {
        let strict = try await AuthServer.start(["auth-sessions-single-per-user": "true"])
        let first = try await strict.person()
        let second = try await strict.signIn(first.email)
        #expect(await strict.get("/user", as: first.access).code == "session_not_found")
        #expect(await strict.get("/user", as: second.access).status == 200)
        await strict.stop()
    }

    private func age(_ person: SignedIn) async throws {
        try await auth.server.database.run(
            "update auth.sessions set refreshed_at = refreshed_at - interval '1 hour' where id = '\(person.session)'"
        )
    }
}

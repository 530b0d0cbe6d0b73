import ApusTestSupport
import Testing

/// Requests that say a thing twice, differently, or far too long.
@Suite struct AttackedRequestTests {
    @Test func `GHSA-x732-6j76-qmhm: no other spelling of a path goes around its limit`() async throws {
        let auth = try await AuthServer.start(["auth-rate-limit-otp": "2"])
        let spellings = [
            "/auth/v1/recover", "/auth/v1//recover", "/auth/v1/recover/", "/auth/v1/recover//",
            "//auth/v1/recover",
            "/auth//v1/recover", "/auth/v1/./recover", "/auth/v1/x/../recover", "/auth/v1/../v1/recover",
            "/auth/v1/%72ecover", "/auth/v1/%72%65%63%6f%76%65%72", "/auth/v1/%2e/recover",
            "/auth/v1/recover%2f",
            "/auth/v1/recover%00", "/auth/v1/RECOVER", "/auth/v1/recover;x=1", "/auth/v1/recover?x=1",
            "/auth/v1/recover?", "/auth/v1\\recover", "/auth/v1/recover%20", "/auth%2fv1/recover",
            "/AUTH/v1/recover",
        ]
        var statuses: [Int] = []
        for _ in 0..<3 {
            for spelling in spellings {
                let body: JSON = ["email": .string(AuthServer.address())]
                statuses.append(await auth.server.send(.post, spelling, body: body.written).status)
            }
        }
        #expect(statuses.count { $0 == 200 } == 2)
        #expect(Set(statuses).isSubset(of: [200, 404, 429]), "\(statuses)")
        await auth.stop()
    }

    @Test(arguments: [
        "/token?grant_type=password&grant_type=refresh_token", "/verify?type=signup&type=recovery",
        "/recover?redirect_to=https%3A%2F%2Fapp.example.com&redirect_to=https%3A%2F%2Fevil.example",
        "/otp?a=1&%61=2", "/signup?x&x",
    ])
    func `CVE-2026-9689: a parameter that is given twice is not believed once`(path: String) async throws {
        let auth = try await AuthServer.mailing.value
        let reply = await auth.post(path, ["email": .string(AuthServer.address()), "password": "x"])
        #expect(reply.status == 400 && reply.code == "validation_failed", "\(reply.text)")
    }

    @Test func `CVE-2026-9689: nor is one in a form or in JSON`() async throws {
        let auth = try await AuthServer.mailing.value
        let form = await auth.submit("/verify", [("type", "signup"), ("token", "a"), ("token", "b")])
        #expect(form.status == 400, "\(form.text)")
        for body in [
            #"{"email": "a@example.com", "email": "b@example.com"}"#,
            #"{"email": "a@example.com", "\u0065mail": "b@example.com"}"#,
            #"{"email": "a@example.com", "data": {"x": 1, "x": 2}}"#,
        ] {
            let reply = await auth.server.send(.post, "/auth/v1/otp", AuthServer.version, body: body)
            #expect(reply.status == 400 && reply.code == "bad_json", "\(reply.text)")
        }
    }

    @Test(arguments: [
        "/signup", "/token?grant_type=password", "/verify", "/factors", "/passkeys/authentication/verify",
    ])
    func `A body of more than 1 MiB is refused, and one byte less is read`(path: String) async throws {
        let auth = try await AuthServer.mailing.value
        let frame = #"{"data": ""}"#.utf8.count
        func send(_ size: Int) async -> Reply {
            let text = String(repeating: "a", count: size - frame)
            return await auth.server.send(
                .post, "/auth/v1" + path, AuthServer.version, body: #"{"data": "\#(text)"}"#)
        }
        let reply = await send((1 << 20) + 1)
        #expect(reply.status == 413 && reply.code == "request_entity_too_large")
        #expect(reply.field("X-Supabase-Api-Version") == "2024-01-01")
        #expect(await send(1 << 20).status != 413)
        // As a form, too.
        let form = await auth.submit(path, [("data", String(repeating: "a", count: 1 << 20))])
        #expect(form.status == 413)
    }

    @Test(arguments: [
        #"{"data": \#(String(repeating: "[", count: 100_000))\#(String(repeating: "]", count: 100_000))}"#,
        #"{"email": "a@example.com""#, "[]", "null", #""text""#, "{\"email\": \"\u{0}\"}", "{'email': 1}",
    ])
    func `What is no object of JSON is refused`(body: String) async throws {
        let auth = try await AuthServer.mailing.value
        let reply = await auth.server.send(.post, "/auth/v1/otp", AuthServer.version, body: body)
        #expect(reply.status == 400 && reply.code == "bad_json", "\(reply.text)")
    }

    @Test(arguments: [
        "2024-01-01" + String(repeating: "1", count: 60_000), String(repeating: "2024-", count: 10_000), "",
        "zzzz",
        "2024-01-0\u{0}",
    ])
    func `CVE-2026-47138: an odd version of the API is none`(version: String) async throws {
        let auth = try await AuthServer.mailing.value
        let reply = await auth.get("/user", as: nil, ["X-Supabase-Api-Version": version])
        #expect(reply.status == 401 && reply.field("X-Supabase-Api-Version") == nil)
        #expect(try reply.json["code"] == 401 && reply.json["error_code"] == "no_authorization")
    }

    @Test func `CVE-2025-48947: nothing about a person may be kept by a cache`() async throws {
        let auth = try await AuthServer.mailing.value
        let person = try await auth.person()
        let replies = [
            await auth.get("/user", as: person.access), await auth.refresh(person.refresh),
            await auth.get("/admin/users", as: Token.service),
            await auth.get("/factors/recovery-codes", as: person.access),
            await auth.post("/recover", ["email": .string(person.email)]), await auth.get("/user"),
            await auth.get("/verify?token=x&type=magiclink"), await auth.post("/logout", as: person.access),
            await auth.get("/settings"), await auth.get("/admin/users/\(person.id)", as: Token.service),
        ]
        for reply in replies {
            #expect(reply.field("Cache-Control") == "no-store", "\(reply.status) \(reply.text)")
            #expect(reply.field("Set-Cookie") == nil)
        }
        // What everybody gets is all that may be kept.
        #expect(await auth.get("/.well-known/jwks.json").field("Cache-Control") == "public, max-age=600")
    }

    /// GHSA-c2hr-cqg6-8j6r, GHSA-6927-3vr9-fxf2, CVE-2026-31840, CVE-2026-30938: what is put into every member of every
    /// request is a value and never a part of a statement.
    @Test(arguments: [
        "' or 1=1 --", "\\'; drop table auth.users; --", "$1", "{\"$ne\": null}", "\u{202E}%27",
    ])
    func `Values that would like to be SQL are values`(value: String) async throws {
        let auth = try await AuthServer.confirming.value
        let person = try await auth.person()
        let names = [
            "email", "phone", "password", "token", "token_hash", "type", "channel", "data", "nonce",
            "refresh_token",
            "auth_code", "code_verifier", "code_challenge", "code_challenge_method", "provider", "id_token",
            "factor_type",
            "friendly_name", "challenge_id", "code", "credential", "role", "ban_duration", "id", "new_email",
            "user_metadata",
        ]
        let paths = [
            "/signup", "/token?grant_type=password", "/token?grant_type=refresh_token",
            "/token?grant_type=pkce",
            "/token?grant_type=id_token", "/otp", "/recover", "/resend", "/verify", "/factors",
            "/passkeys/authentication/verify",
            "/admin/users", "/admin/generate_link", "/invite",
        ]
        for path in paths {
            let isAdmin = path.hasPrefix("/admin") || path == "/invite"
            for name in names {
                let body: JSON = .object(
                    ["email": .string(person.email)].merging([name: .string(value)]) { $1 })
                let status = await auth.post(path, body, as: isAdmin ? Token.service : person.access).status
                #expect(status < 500, "\(path) \(name)")
            }
        }
        #expect(await auth.get("/user", as: person.access).status == 200)
    }

    /// CVE-2026-31872, GHSA-2m6g-crv8-p3c6: what is not shown can be neither sorted by nor searched.
    @Test func `Hidden columns are no oracle`() async throws {
        let auth = try await AuthServer.mailing.value
        let person = try await auth.person()
        for column in [
            "encrypted_password", "raw_user_meta_data", "email;", "(select 1)", "recovery_token desc",
        ] {
            let sort = await auth.get("/admin/users?sort=" + column, as: Token.service)
            #expect(sort.status == 400, "\(column)")
        }
        for words in ["argon2id", "encrypted_password", person.session] {
            let found = await auth.get("/admin/users?filter=" + words, as: Token.service)
            #expect(try found.json["users"] == [])
        }
    }
}

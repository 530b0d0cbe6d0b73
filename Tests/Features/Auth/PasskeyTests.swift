import ApusAuthTestSupport
import ApusJSON
import ApusTokens
import Testing

@Suite struct PasskeyTests {
    let server: TestServer

    init() async throws { server = try await AuthServers.factors.value }

    private func options(_ reply: Reply) throws -> (id: String, challenge: [UInt8]) {
        let json = try reply.json
        let challenge = try #require(json["options"]?["challenge"]?.text)
        return (try #require(json["challenge_id"]?.text), try #require(Base64URL.decode(challenge.utf8)))
    }

    private func body(_ id: String, _ credential: JSONObject) -> String {
        let object: JSONObject = ["challenge_id": .string(id), "credential": .object(credential)]
        return String(decoding: JSONValue.object(object).bytes, as: UTF8.self)
    }

    private func register(_ person: Person, _ device: SoftAuthenticator) async throws -> Reply {
        let (id, challenge) = try options(await person.post("/passkeys/registration/options"))
        return await person.post("/passkeys/registration/verify", body(id, try device.register(challenge)))
    }

    private func signIn(_ device: SoftAuthenticator) async throws -> Reply {
        let reply = await server.send(.post, "/auth/v1/passkeys/authentication/options", body: "{}")
        let (id, challenge) = try options(reply)
        return await server.send(
            .post, "/auth/v1/passkeys/authentication/verify", body: body(id, try device.assert(challenge)))
    }

    private func device(of person: Person) -> SoftAuthenticator {
        var device = SoftAuthenticator()
        device.userHandle = Array(person.id.utf8)
        return device
    }

    @Test func registerThenSignIn() async throws {
        let ada = try await Person.signUp(server)
        var device = device(of: ada)
        let made = try await register(ada, device)
        #expect(made.status == 200)
        #expect(try made.json["friendly_name"] == "Passkey")
        device.signCount = 2
        let reply = try await signIn(device)
        #expect(reply.status == 200)
        #expect(try reply.json["user"]?["id"] == .string(ada.id))
        var signedIn = ada
        signedIn.token = try #require(try reply.json["access_token"]?.text)
        #expect(signedIn.claims["amr"]?.all("method") == ["passkey"])
    }

    @Test func optionsAskForWhatAPasskeyIs() async throws {
        let ada = try await Person.signUp(server)
        let json = try await ada.post("/passkeys/registration/options").json
        #expect(json["options"]?["rp"]?["id"] == "example.com")
        #expect(json["options"]?["authenticatorSelection"]?["residentKey"] == "required")
        #expect(json["options"]?["authenticatorSelection"]?["userVerification"] == "required")
        #expect(json["options"]?["user"]?["id"] == .string(Base64URL.encode(Array(ada.id.utf8))))
        let signIn = try await server.send(.post, "/auth/v1/passkeys/authentication/options", body: "{}").json
        #expect(signIn["options"]?["allowCredentials"] == [])
        #expect(signIn["options"]?["userVerification"] == "required")
    }

    @Test func clonesAreRefused() async throws {
        let ada = try await Person.signUp(server)
        var device = device(of: ada)
        device.signCount = 5
        #expect(try await register(ada, device).status == 200)
        #expect(try await signIn(device).status == 400)
        device.signCount = 6
        #expect(try await signIn(device).status == 200)
    }

    @Test func withoutUserVerificationNobodySignsIn() async throws {
        let ada = try await Person.signUp(server)
        var device = device(of: ada)
        #expect(try await register(ada, device).status == 200)
        device.signCount = 2
        device.flags = 0x01
        let reply = try await signIn(device)
        #expect(try reply.json["error_code"] == "webauthn_verification_failed")
    }

    @Test func aChallengeIsGoodOnce() async throws {
        let ada = try await Person.signUp(server)
        let device = device(of: ada)
        let (id, challenge) = try options(await ada.post("/passkeys/registration/options"))
        let body = body(id, try device.register(challenge))
        let replies = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await ada.post("/passkeys/registration/verify", body).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies.count { $0 == 200 } == 1)
        let late = await ada.post("/passkeys/registration/verify", body)
        #expect(try late.json["error_code"] == "webauthn_challenge_not_found")
    }

    /// A challenge of somebody else's, and a handle that is not the credential's user.
    @Test func peopleDoNotMix() async throws {
        let ada = try await Person.signUp(server)
        let ben = try await Person.signUp(server)
        let (id, challenge) = try options(await ada.post("/passkeys/registration/options"))
        let stolen = await ben.post(
            "/passkeys/registration/verify", body(id, try device(of: ben).register(challenge)))
        #expect(try stolen.json["error_code"] == "webauthn_challenge_not_found")
        var device = device(of: ada)
        #expect(try await register(ada, device).status == 200)
        device.signCount = 2
        device.userHandle = Array(ben.id.utf8)
        #expect(try await signIn(device).status == 400)
        let again = try await register(ben, device)
        #expect(try again.json["error_code"] == "webauthn_credential_exists")
    }

    /// supabase/auth#2565: a passkey added at aal1 would go around the second factor.
    @Test func withASecondFactorBothAreNeeded() async throws {
        let ada = try await Person.signUp(server)
        let strong = try await Authenticator.enrol(ada).strengthen(ada)
        let weak = try await ada.onAnotherDevice()
        let reply = await weak.post("/passkeys/registration/options")
        #expect(reply.status == 403)
        #expect(try await register(strong, device(of: ada)).status == 200)
    }

    @Test func listRenameRemove() async throws {
        let ada = try await Person.signUp(server)
        let id = try #require(try await register(ada, device(of: ada)).json["id"]?.text)
        #expect(try await ada.get("/passkeys/").json.all("id") == [.string(id)])
        let renamed = await server.send(
            .patch, "/auth/v1/passkeys/\(id)", as: ada.token, body: #"{"friendly_name": "laptop"}"#)
        #expect(try renamed.json["friendly_name"] == "laptop")
        let ben = try await Person.signUp(server)
        #expect(await ben.delete("/passkeys/\(id)").status == 404)
        #expect(await ada.delete("/passkeys/\(id)").status == 204)
        #expect(try await ada.get("/passkeys").json == [])
    }

    @Test func securityKeyAsSecondFactor() async throws {
        let ada = try await Person.signUp(server)
        var device = SoftAuthenticator()
        let enrolled = await ada.post("/factors", #"{"factor_type": "webauthn", "friendly_name": "key"}"#)
        let factor = try #require(try enrolled.json["id"]?.text)
        func verify(_ kind: String) async throws -> Reply {
            let json = try await ada.post("/factors/\(factor)/challenge").json
            #expect(json["webauthn"]?["type"] == .string(kind))
            let options = json["webauthn"]?["credential_options"]?["publicKey"]
            let text = try #require(options?["challenge"]?.text)
            let challenge = try #require(Base64URL.decode(text.utf8))
            let credential = kind == "create" ? try device.register(challenge) : try device.assert(challenge)
            let object: JSONObject = [
                "challenge_id": .string(json["id"]?.text ?? ""),
                "webauthn": .object(["type": .string(kind), "credential_response": .object(credential)]),
            ]
            return await ada.post(
                "/factors/\(factor)/verify", String(decoding: JSONValue.object(object).bytes, as: UTF8.self))
        }
        #expect(try await verify("create").status == 200)
        device.signCount = 2
        let reply = try await verify("request")
        #expect(reply.status == 200)
        var strong = ada
        strong.token = try #require(try reply.json["access_token"]?.text)
        #expect(strong.claims["aal"] == "aal2")
        #expect(strong.claims["amr"]?.all("method").contains("mfa/webauthn") == true)
        // The same state of the counter again.
        #expect(try await verify("request").status == 422)
    }
}

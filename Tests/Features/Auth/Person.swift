import ApusAuth
import ApusTokens

/// Somebody with an account, on one device.
struct Person: Sendable {
    let id: String
    let email: String
    let server: TestServer
    var token: String

    /// Signs up with a new address.
    static func signUp(_ server: TestServer) async throws -> Person {
        let email = "p\(UUIDText.random())@example.org"
        let reply = await server.send(
            .post, "/auth/v1/signup", body: #"{"email": "\#(email)", "password": "correct horse battery"}"#)
        guard let token = try reply.json["access_token"]?.text, let id = try reply.json["user"]?["id"]?.text
        else {
            throw Refused(text: reply.text)
        }
        return Person(id: id, email: email, server: server, token: token)
    }

    struct Refused: Error { var text: String }

    func post(_ path: String, _ body: String = "{}") async -> Reply {
        await server.send(.post, "/auth/v1" + path, as: token, body: body)
    }

    func get(_ path: String) async -> Reply { await server.send(.get, "/auth/v1" + path, as: token) }

    func delete(_ path: String) async -> Reply { await server.send(.delete, "/auth/v1" + path, as: token) }

    /// The same person on another device, after a password alone.
    func onAnotherDevice() async throws -> Person {
        let session = UUIDText.random()
        try await server.database.run(
            "insert into auth.sessions (id, user_id, aal) values ('\(session)', '\(id)', 'aal1')")
        var other = self
        other.token = Token.make(
            #"{"role":"authenticated","sub":"\#(id)","session_id":"\#(session)","exp":4102444800}"#)
        return other
    }

    /// The claims of the token.
    var claims: JSON {
        let payload = token.split(separator: ".")[1]
        return (try? JSON(Base64URL.decode(payload.utf8) ?? [])) ?? .null
    }
}

import ApusAuth
import ApusTokens

/// An authenticator app that somebody enrolled. The present step's code holds for half a minute at least, and the next
/// one's for a minute, so that a test has two; the one before may end while it is on its way.
struct Authenticator: Sendable {
    let factor: String
    let totp: TOTP
    let reply: Reply

    static func enrol(_ person: Person, name: String = "") async throws -> Authenticator {
        let reply = await person.post("/factors", #"{"factor_type": "totp", "friendly_name": "\#(name)"}"#)
        guard let factor = try reply.json["id"]?.text,
            let secret = try reply.json["totp"]?["secret"]?.text.flatMap({ Base32.decode($0) })
        else { throw Person.Refused(text: reply.text) }
        return Authenticator(factor: factor, totp: TOTP(secret: secret), reply: reply)
    }

    func code(_ offset: Int64 = 0) -> String {
        totp.code(atStep: TokenVerifier.systemClock() / TOTP.period + offset)
    }

    /// A code that none of the steps around now has.
    var wrongCode: String {
        let right = Set((-3...3).map { code($0) })
        return (0...9).map { String(repeating: String($0), count: 6) }.first { !right.contains($0) } ?? ""
    }

    func challenge(_ person: Person) async throws -> String {
        let reply = await person.post("/factors/\(factor)/challenge")
        guard let id = try reply.json["id"]?.text else { throw Person.Refused(text: reply.text) }
        return id
    }

    func verify(_ person: Person, _ code: String) async throws -> Reply {
        let challenge = try await challenge(person)
        return await person.post(
            "/factors/\(factor)/verify", #"{"challenge_id": "\#(challenge)", "code": "\#(code)"}"#)
    }

    /// The person with a session of two factors.
    func strengthen(_ person: Person, offset: Int64 = 0) async throws -> Person {
        let reply = try await verify(person, code(offset))
        guard let token = try reply.json["access_token"]?.text else { throw Person.Refused(text: reply.text) }
        var strong = person
        strong.token = token
        return strong
    }
}

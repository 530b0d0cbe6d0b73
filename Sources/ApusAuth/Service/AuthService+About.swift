import ApusFaults
import ApusJSON

extension AuthService {
    /// `GET /health`
    package func health(_ call: AuthCall) async throws -> AuthAnswer {
        .json(["version": .string(version), "name": "GoTrue", "description": "Apus, authentication"])
    }

    /// `GET /.well-known/jwks.json`
    package func keySet(_ call: AuthCall) async throws -> AuthAnswer {
        var answer = AuthAnswer.json(["keys": .array(keys.published.map { .object($0) })])
        answer.isPublic = true
        answer.fields.append(.init("Cache-Control", "public, max-age=600"))
        return answer
    }

    /// `GET /user`
    package func user(_ call: AuthCall, _ caller: Caller) async throws -> AuthAnswer {
        .object(caller.user.json)
    }
}

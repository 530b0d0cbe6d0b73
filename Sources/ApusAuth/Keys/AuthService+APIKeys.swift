import ApusPostgres
import ApusSQL
import ApusTokens
import Logging

/// What a node does about API keys: it knows those that hold, and notes which were used.
extension AuthService {
    /// Reads the keys that hold. Before the step that makes their table there are none.
    func loadAPIKeys() async throws {
        let found = try await database.query("select to_regclass('auth.api_keys') is not null")
        guard found.bool(0, 0) == true else { return }
        trust.replaceAPIKeys(
            APIKeyRegister.keys(in: try await database.query(APIKeyRegister.holding)),
            forgottenAt: now() + TokenVerifier.apiKeyMemory + Self.clockDifference)
    }

    /// False when the database could not be asked.
    func reloadAPIKeys() async -> Bool {
        do {
            try await loadAPIKeys()
            return true
        } catch {
            logger.error("API keys cannot be read", metadata: ["reason": "\(error)"])
            return (error as? PostgresFault).map { $0.kind == .server } ?? true
        }
    }

    /// Writes down which keys were used. What is lost here is missed for ten minutes and no longer.
    func noteUsedAPIKeys() async {
        let used = trust.apiKeys.takeUsed()
        guard !used.isEmpty else { return }
        let list = "{" + used.joined(separator: ",") + "}"
        do throws(PostgresFault) {
            try await database.query(
                "update auth.api_keys set last_used_at = now() where id = any(\(bind: list)::uuid[])")
        } catch {
            logger.warning("the use of API keys is not noted", metadata: ["reason": "\(error.message)"])
        }
    }
}

import ApusJSON

extension AuthService {
    /// Asks a hook.
    ///
    /// - Throws: what the hook refuses with, and faults of the hook itself.
    func ask(_ hook: Hook, _ input: JSONObject) async throws -> JSONObject {
        let caller = HookCaller(database: database, client: providers.client, logger: logger, clock: now)
        return try await caller.ask(hook, input)
    }
}

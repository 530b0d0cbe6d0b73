/// Waits until `condition` holds, looking again and again; false when `limit` has passed. For what a real
/// server or another process does and gives no signal of.
package func eventually(
    within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        if ContinuousClock.now >= end { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

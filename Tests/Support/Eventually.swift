/// Waits until `condition` holds, looking again and again; false when `limit` has passed. For what a real
/// server or another process does and gives no signal of. The limit is long, so that it tells what hangs from what a
/// busy machine does late.
package func eventually(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        if ContinuousClock.now >= end { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

import Synchronization

/// How long a request has been worked on. The time for which it only waits for its turn to have a password hashed does not
/// count: that queue is bounded, and whoever stands in it is served, be it late, and not sent away after the wait.
package final class RequestClock: Sendable {
    private struct State {
        var waited = Duration.zero
        var waitsSince: ContinuousClock.Instant?
    }

    /// That of the request that this task works on; nil outside of one.
    @TaskLocal package static var current: RequestClock?

    private let start = ContinuousClock.now
    private let state = Mutex(State())

    package init() {}

    /// It begins to wait.
    func pause() {
        state.withLock { $0.waitsSince = .now }
    }

    /// Its turn has come.
    func resume() {
        state.withLock { state in
            guard let since = state.waitsSince else { return }
            state.waited += .now - since
            state.waitsSince = nil
        }
    }

    /// What is left of so much work.
    package func left(of limit: Duration) -> Duration {
        let now = ContinuousClock.now
        let waited = state.withLock { $0.waited + ($0.waitsSince.map { now - $0 } ?? .zero) }
        return limit - (now - start - waited)
    }
}

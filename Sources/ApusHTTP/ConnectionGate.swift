import Synchronization

/// Counts connections, so that a limit can be held and a gauge can be shown.
package final class ConnectionGate: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)

    package init(limit: Int) { self.limit = limit }

    /// Connections that are open now.
    package var count: Int { open.load(ordering: .relaxed) }
    /// Requests and connections that were refused since the start.
    package var refusals: Int { refused.load(ordering: .relaxed) }

    /// Whether one more connection may be served; pair a `true` with ``leave()``.
    func enter() -> Bool {
        if open.add(1, ordering: .relaxed).newValue <= limit { return true }
        open.subtract(1, ordering: .relaxed)
        countRefusal()
        return false
    }

    func leave() { open.subtract(1, ordering: .relaxed) }

    func countRefusal() { refused.add(1, ordering: .relaxed) }
}

import Synchronization

/// Raised once.
final class Flag: Sendable {
    private let isRaised = Atomic(false)

    /// Whether this call raised it.
    func raise() -> Bool {
        isRaised.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    }
}

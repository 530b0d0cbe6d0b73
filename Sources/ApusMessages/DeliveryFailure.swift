/// Why a message was not handed over.
package struct DeliveryFailure: Error, Sendable, Equatable {
    /// What trying again can do.
    package enum Kind: Sendable, Equatable {
        /// Later it may work.
        case passing
        /// Nothing: this message will never be taken.
        case permanent
        /// Whoever delivers cannot be reached, or takes nothing at present: that is not about this message.
        case unreachable
    }

    package var kind: Kind
    /// For the log and the queue; names no person, holds no code and no link.
    package var reason: String

    package static func passing(_ reason: String) -> DeliveryFailure { .init(kind: .passing, reason: reason) }
    package static func permanent(_ reason: String) -> DeliveryFailure {
        .init(kind: .permanent, reason: reason)
    }
    package static func unreachable(_ reason: String) -> DeliveryFailure {
        .init(kind: .unreachable, reason: reason)
    }
}

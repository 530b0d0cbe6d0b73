/// Carries short-lived messages between the nodes of one installation: presence and broadcasts.
///
/// At most once, and in order for each publisher and topic. A publisher never waits: what cannot be sent in
/// bounded memory is dropped, and the others hear ``BusEvent/interrupted``.
package protocol Bus: Sendable {
    /// Sends to the subscribers on every **other** node; on this node, the publisher serves its own.
    func publish(_ topic: String, _ message: [UInt8])

    /// Hears what other nodes publish under `topic` until the subscription is cancelled or released.
    /// `receive` is called in order, on a thread of the bus that it must not block.
    func subscribe(
        _ topic: String, _ receive: @escaping @Sendable (BusEvent) -> Void
    ) -> BusSubscription
}

/// What the bus brings.
package enum BusEvent: Sendable {
    case message([UInt8])
    /// Messages may have been lost before this point: the connection was away, or something was dropped. Who
    /// keeps state by messages (presence) asks for it afresh.
    case interrupted
}

/// An interest in a topic; ends when it is cancelled or released.
package final class BusSubscription: Sendable {
    private let ending: @Sendable () -> Void

    package init(_ ending: @escaping @Sendable () -> Void) { self.ending = ending }

    deinit { ending() }
}

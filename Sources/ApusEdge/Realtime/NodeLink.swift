import ApusRealtime

/// The channels' way to other nodes: one topic of the bus for all of it.
final class NodeLink: Sendable {
    /// Names this node in what it says; new with every start.
    let node = String(UInt64.random(in: .min ... .max), radix: 36)
    private let bus: any Bus
    private static let topic = "channels"

    init(bus: any Bus) { self.bus = bus }

    func send(_ message: NodeMessage) {
        if let bytes = message.bytes { bus.publish(Self.topic, bytes) }
    }

    /// Hears the other nodes until the result is released.
    func listen(_ receive: @escaping @Sendable (NodeMessage) -> Void) -> BusSubscription {
        bus.subscribe(Self.topic) { event in
            switch event {
            case .message(let bytes): if let message = NodeMessage(bytes) { receive(message) }
            case .interrupted: receive(.interrupted)
            }
        }
    }
}

import ApusPostgres
import Dispatch

/// The bus inside one process: the only node of an installation, or several nodes in one test.
package final class InProcessBus: Bus {
    /// What joins the nodes of a process.
    package final class Hub: Sendable {
        fileprivate struct Interest: Sendable {
            var id: UInt64
            var node: ObjectIdentifier
            var receive: @Sendable (BusEvent) -> Void
        }

        fileprivate struct State: Sendable {
            var lastID: UInt64 = 0
            var interests: [String: [Interest]] = [:]
        }

        fileprivate let state = Locked(State())
        /// One queue for all, so that messages keep their order.
        fileprivate let queue = DispatchQueue(label: "apus.bus")

        package init() {}
    }

    private let hub: Hub

    package init(hub: Hub = Hub()) { self.hub = hub }

    package func publish(_ topic: String, _ message: [UInt8]) {
        let node = ObjectIdentifier(self)
        let hub = hub
        guard hub.state.withLock({ $0.interests[topic]?.contains { $0.node != node } == true }) else {
            return
        }
        hub.queue.async {
            let others = hub.state.withLock { $0.interests[topic]?.filter { $0.node != node } ?? [] }
            for other in others { other.receive(.message(message)) }
        }
    }

    package func subscribe(
        _ topic: String, _ receive: @escaping @Sendable (BusEvent) -> Void
    ) -> BusSubscription {
        let node = ObjectIdentifier(self)
        let id = hub.state.withLock { state in
            state.lastID += 1
            state.interests[topic, default: []].append(.init(id: state.lastID, node: node, receive: receive))
            return state.lastID
        }
        let hub = hub
        return BusSubscription {
            hub.state.withLock { state in
                state.interests[topic]?.removeAll { $0.id == id }
                if state.interests[topic]?.isEmpty == true { state.interests[topic] = nil }
            }
        }
    }
}

import ApusHTTP
import ApusJSON
import ApusRealtime
import Synchronization

/// Who is present where, on all nodes.
///
/// Every node owns what its members track and tells the others of it. A node that is not heard of for a while is
/// gone, and those it told of leave. States and differences reach each member in one order, because both are
/// handed to the event loops under one lock.
final class PresenceBoard: Sendable {
    private struct State {
        var ledgers: [TopicKey: PresenceLedger] = [:]
        /// When a node was last heard of.
        var heard: [String: ContinuousClock.Instant] = [:]
        var lastReference: UInt64 = 0
    }

    private static let interval = Duration.seconds(5)
    private static let patience = Duration.seconds(16)

    private let state = Mutex(State())
    private let shards: ShardSet
    private let nodes: NodeLink

    init(shards: ShardSet, nodes: NodeLink) {
        self.shards = shards
        self.nodes = nodes
    }

    /// A key for a client that names none.
    static func randomKey() -> String {
        let (high, low) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        return String(high, radix: 16) + String(low, radix: 16)
    }

    // MARK: - Members of this node

    func track(_ channel: RealtimeChannel, payload: [UInt8]) {
        let (key, member, name) = (channel.key, channel.member, channel.presenceKey)
        let entry = state.withLock { state in
            state.lastReference += 1
            let reference = nodes.node + "-" + String(state.lastReference, radix: 36)
            let entry = PresenceLedger.Entry(reference: reference, key: name, payload: payload)
            apply(key, &state) { $0.track(.member(member), entry) }
            return entry
        }
        nodes.send(.presence(.track(node: nodes.node, key, member: member, entry)))
    }

    func untrack(_ channel: RealtimeChannel) {
        let (key, member) = (channel.key, channel.member)
        let wasPresent = state.withLock { state in
            apply(key, &state) { $0.untrack(.member(member)) }
        }
        if wasPresent { nodes.send(.presence(.untrack(node: nodes.node, key, member: member))) }
    }

    /// Tells a channel who is there; differences follow.
    func tellState(_ channel: RealtimeChannel) {
        state.withLock { state in
            let json = state.ledgers[channel.key]?.json ?? Array("{}".utf8)
            channel.connection.shard.post(.messages([(channel, channel.frame("presence_state", json))]))
        }
    }

    // MARK: - Other nodes

    /// Asks the others what they have, and says now and then that this node lives, until cancelled.
    func run() async {
        nodes.send(.presence(.ask(node: nodes.node)))
        while (try? await Task.sleep(for: Self.interval)) != nil {
            nodes.send(.presence(.alive(node: nodes.node, tellsAfresh: false)))
            forgetSilentNodes()
        }
        nodes.send(.presence(.gone(node: nodes.node)))
    }

    func receive(_ message: NodeMessage) {
        switch message {
        case .broadcast: break
        case .interrupted:
            nodes.send(.presence(.ask(node: nodes.node)))
            tellEverything()
        case .presence(let news): receive(news)
        }
    }

    private func receive(_ news: PresenceNews) {
        switch news {
        case .track(let node, let key, let member, let entry):
            state.withLock { state in
                state.heard[node] = .now
                apply(key, &state) { $0.track(.remote(node: node, member: member), entry) }
            }
        case .untrack(let node, let key, let member):
            state.withLock { state in
                state.heard[node] = .now
                apply(key, &state) { $0.untrack(.remote(node: node, member: member)) }
            }
        case .alive(let node, _): state.withLock { $0.heard[node] = .now }
        case .ask: tellEverything()
        case .gone(let node): forget(node)
        }
    }

    private func tellEverything() {
        let all = state.withLock { state in
            state.ledgers.flatMap { key, ledger in ledger.own.map { (key, $0.member, $0.entry) } }
        }
        nodes.send(.presence(.alive(node: nodes.node, tellsAfresh: true)))
        for (key, member, entry) in all {
            nodes.send(.presence(.track(node: nodes.node, key, member: member, entry)))
        }
    }

    private func forgetSilentNodes() {
        let limit = ContinuousClock.now - Self.patience
        let silent = state.withLock { state in state.heard.filter { $0.value < limit }.map(\.key) }
        for node in silent { forget(node) }
    }

    private func forget(_ node: String) {
        state.withLock { state in
            state.heard[node] = nil
            for key in Array(state.ledgers.keys) { apply(key, &state) { $0.forget(node: node) } }
        }
    }

    // MARK: - Non public

    /// Changes a topic's ledger and tells the members of this node. Whether anything changed.
    @discardableResult
    private func apply(
        _ key: TopicKey, _ state: inout State, _ change: (inout PresenceLedger) -> PresenceLedger.Difference
    ) -> Bool {
        var ledger = state.ledgers.removeValue(forKey: key) ?? PresenceLedger()
        let difference = change(&ledger)
        if !ledger.isEmpty { state.ledgers[key] = ledger }
        guard !difference.isEmpty else { return false }
        shards.post(.presence(key, difference.json))
        return true
    }
}

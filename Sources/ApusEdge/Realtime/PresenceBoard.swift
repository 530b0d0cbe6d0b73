import ApusHTTP
import ApusJSON
import ApusRealtime
import Synchronization

/// Who is present where, on all nodes.
///
/// Every node owns what its members track and tells the others of it. A node that is not heard of for a while is
/// gone, and those it told of leave. States and differences reach each member in one order, and news reach other nodes
/// in the order in which they happened, because both are handed on under one lock.
final class PresenceBoard: Sendable {
    /// What is known of another node.
    private struct Peer {
        /// When it was last heard of.
        var heard = ContinuousClock.now
        /// Of its newest news; nil before it has told everything once.
        var number: UInt64?
        /// What it has told of so far, while it tells everything.
        var told: [TopicKey: Set<UInt64>]?
        /// When it was last asked for everything.
        var asked: ContinuousClock.Instant?
    }

    private struct State {
        var ledgers: [TopicKey: PresenceLedger] = [:]
        var peers: [String: Peer] = [:]
        var lastReference: UInt64 = 0
        /// Of this node's newest news.
        var number: UInt64 = 0
    }

    private static let interval = Duration.seconds(5)
    private static let patience = Duration.seconds(16)
    /// How long the answer to a question may take before it is asked again.
    private static let answerTime = Duration.seconds(1)

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
        state.withLock { state in
            state.lastReference += 1
            let reference = nodes.node + "-" + String(state.lastReference, radix: 36)
            let entry = PresenceLedger.Entry(reference: reference, key: name, payload: payload)
            apply(key, &state) { $0.track(.member(member), entry) }
            state.number += 1
            send(.track(node: nodes.node, number: state.number, key, member: member, entry))
        }
    }

    func untrack(_ channel: RealtimeChannel) {
        let (key, member) = (channel.key, channel.member)
        state.withLock { state in
            guard apply(key, &state, { $0.untrack(.member(member)) }) else { return }
            state.number += 1
            send(.untrack(node: nodes.node, number: state.number, key, member: member))
        }
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
        send(.ask(node: nodes.node, of: nil))
        while (try? await Task.sleep(for: Self.interval)) != nil {
            state.withLock { send(.alive(node: nodes.node, number: $0.number)) }
            forgetSilentNodes()
        }
        send(.gone(node: nodes.node))
    }

    func receive(_ message: NodeMessage) {
        switch message {
        case .broadcast: break
        case .interrupted:
            send(.ask(node: nodes.node, of: nil))
            tellEverything()
        case .presence(.ask(_, let other)): if other == nil || other == nodes.node { tellEverything() }
        case .presence(let news): state.withLock { receive(news, &$0) }
        }
    }

    private func receive(_ news: PresenceNews, _ state: inout State) {
        switch news {
        case .track(let node, let number, let key, let member, let entry):
            heard(node, number, &state)
            state.peers[node]?.told?[key, default: []].insert(member)
            apply(key, &state) { $0.track(.remote(node: node, member: member), entry) }
        case .untrack(let node, let number, let key, let member):
            heard(node, number, &state)
            apply(key, &state) { $0.untrack(.remote(node: node, member: member)) }
        case .alive(let node, let number): heard(node, number, isNews: false, &state)
        case .tells(let node): state.peers[node, default: Peer()].told = [:]
        case .told(let node, let number):
            // Without the beginning, something is missing from the middle as well.
            guard let told = state.peers[node]?.told else { return }
            state.peers[node] = Peer(number: number)
            for key in Array(state.ledgers.keys) {
                apply(key, &state) { $0.forget(node: node, but: told[key] ?? []) }
            }
        case .ask: break
        case .gone(let node): forget(node, &state)
        }
    }

    /// A node has said something. What it says about its number shows whether something before it was lost; then it is
    /// asked for everything.
    private func heard(_ node: String, _ number: UInt64, isNews: Bool = true, _ state: inout State) {
        var peer = state.peers[node] ?? Peer()
        peer.heard = .now
        if peer.told == nil {
            if isNews, number == peer.number.map({ $0 + 1 }) {
                peer.number = number
            } else if number != peer.number, peer.asked.map({ $0 + Self.answerTime < .now }) ?? true {
                peer.asked = .now
                send(.ask(node: nodes.node, of: node))
            }
        }
        state.peers[node] = peer
    }

    private func tellEverything() {
        state.withLock { state in
            send(.tells(node: nodes.node))
            for (key, ledger) in state.ledgers {
                for (member, entry) in ledger.own {
                    send(.track(node: nodes.node, number: state.number, key, member: member, entry))
                }
            }
            send(.told(node: nodes.node, number: state.number))
        }
    }

    private func forgetSilentNodes() {
        let limit = ContinuousClock.now - Self.patience
        state.withLock { state in
            for (node, peer) in state.peers where peer.heard < limit { forget(node, &state) }
        }
    }

    private func forget(_ node: String, _ state: inout State) {
        state.peers[node] = nil
        for key in Array(state.ledgers.keys) { apply(key, &state) { $0.forget(node: node) } }
    }

    // MARK: - Non public

    private func send(_ news: PresenceNews) { nodes.send(.presence(news)) }

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

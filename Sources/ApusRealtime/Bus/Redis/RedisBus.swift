import ApusPostgres
package import Logging
package import NIOCore
import Synchronization

/// The bus over Redis's publish and subscribe. Each message says which node sent it, and nodes pass over their own.
package final class RedisBus: Bus {
    private struct Interest: Sendable {
        var id: UInt64
        var receive: @Sendable (BusEvent) -> Void
    }

    private struct State: Sendable {
        var interests: [String: [Interest]] = [:]
        var lastID: UInt64 = 0
        var publisher: RedisConnection?
        var subscriber: RedisConnection?
        /// Something that was published did not go out.
        var hasDropped = false
    }

    let address: RedisAddress
    let group: any EventLoopGroup
    /// Before every name in Redis, so that installations can share one.
    let prefix: String
    private let node: [UInt8]
    private let logger: Logger
    private let state = Locked(State())
    /// Whether the subscriber's connection has brought anything since this was last asked.
    private let heard = Atomic(true)

    package init(_ address: RedisAddress, prefix: String, group: any EventLoopGroup, logger: Logger) {
        self.address = address
        self.prefix = prefix
        self.group = group
        self.logger = logger
        var generator = SystemRandomNumberGenerator()
        node = withUnsafeBytes(of: generator.next()) { Array($0) }
    }

    // MARK: - Bus

    package func publish(_ topic: String, _ message: [UInt8]) {
        let connection = state.withLock { state in
            guard let publisher = state.publisher, publisher.isWritable else {
                state.hasDropped = true
                return nil as RedisConnection?
            }
            return publisher
        }
        connection?.post([Array("PUBLISH".utf8), channel(topic), node + message])
    }

    package func subscribe(
        _ topic: String, _ receive: @escaping @Sendable (BusEvent) -> Void
    ) -> BusSubscription {
        let id = state.withLock { state in
            state.lastID += 1
            if state.interests[topic] == nil {
                state.subscriber?.post([Array("SUBSCRIBE".utf8), channel(topic)])
            }
            state.interests[topic, default: []].append(Interest(id: state.lastID, receive: receive))
            return state.lastID
        }
        return BusSubscription { [weak self] in self?.end(topic, id) }
    }

    // MARK: - Life

    /// Keeps the two connections until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keep("subscriber") { try await self.listen() } }
            group.addTask { await self.keep("publisher") { try await self.speak() } }
        }
    }

    /// Whether both connections are there.
    package var isConnected: Bool { state.withLock { $0.publisher != nil && $0.subscriber != nil } }

    // MARK: - Non public

    /// How often a connection is asked whether it is there.
    private static let pulse = Duration.seconds(2)

    /// What nobody can subscribe to: somebody's messages were dropped.
    private static let interruption = "!interrupted"

    private func channel(_ topic: String) -> [UInt8] { Array("\(prefix):topic:\(topic)".utf8) }

    private func end(_ topic: String, _ id: UInt64) {
        state.withLock { state in
            state.interests[topic]?.removeAll { $0.id == id }
            guard state.interests[topic]?.isEmpty == true else { return }
            state.interests[topic] = nil
            state.subscriber?.post([Array("UNSUBSCRIBE".utf8), channel(topic)])
        }
    }

    private func keep(_ what: String, _ body: () async throws -> Void) async {
        var wait = Duration.milliseconds(100)
        var isKnown = false
        while !Task.isCancelled {
            do {
                try await body()
                (wait, isKnown) = (.milliseconds(100), false)
            } catch {
                if !isKnown, !Task.isCancelled {
                    logger.warning(
                        "the bus is not there",
                        metadata: [
                            "connection": "\(what)",
                            "reason": "\((error as? RedisFailure)?.message ?? "\(error)")",
                        ])
                    isKnown = true
                }
            }
            try? await Task.sleep(for: wait)
            wait = min(wait * 2, .seconds(2))
        }
    }

    private func speak() async throws {
        let connection = try await RedisConnection.connect(address, on: group)
        let hasDropped = state.withLock { state in
            state.publisher = connection
            defer { state.hasDropped = false }
            return state.hasDropped
        }
        defer {
            // What was handed to a connection that ended may not have arrived.
            state.withLock { ($0.publisher, $0.hasDropped) = (nil, true) }
            connection.close()
        }
        if hasDropped { publish(Self.interruption, []) }
        // A connection that was cut somewhere looks as if nobody spoke.
        while true {
            try await connection.send([Array("PING".utf8)], within: .seconds(2))
            // It was full for a while, and has room again.
            let hasDropped = state.withLock { state in
                defer { state.hasDropped = false }
                return state.hasDropped
            }
            if hasDropped { publish(Self.interruption, []) }
            try await Task.sleep(for: Self.pulse)
        }
    }

    private func listen() async throws {
        let connection = try await RedisConnection.connect(
            address, on: group, push: { [weak self] in self?.take($0) })
        let receivers = state.withLock { state in
            state.subscriber = connection
            heard.store(true, ordering: .relaxed)
            let topics = [Self.interruption] + state.interests.keys
            connection.post([Array("SUBSCRIBE".utf8)] + topics.map(channel))
            return state.interests.values.flatMap { $0 }
        }
        for receiver in receivers { receiver.receive(.interrupted) }
        defer {
            state.withLock { $0.subscriber = nil }
            connection.close()
        }
        while heard.exchange(false, ordering: .relaxed) {
            connection.post([Array("PING".utf8)])
            try await Task.sleep(for: Self.pulse)
        }
        throw RedisFailure.late
    }

    /// On the event loop, so in order.
    private func take(_ value: RESPValue) {
        heard.store(true, ordering: .relaxed)
        guard let items = value.items, items.count == 3, items[0].text == "message",
            let channel = items[1].text, let bytes = items[2].bytes, bytes.count >= node.count,
            !bytes.starts(with: node), channel.hasPrefix("\(prefix):topic:")
        else { return }
        let topic = String(channel.dropFirst(prefix.count + 7))
        if topic == Self.interruption {
            let all = state.withLock { $0.interests.values.flatMap { $0 } }
            for interest in all { interest.receive(.interrupted) }
            return
        }
        let receivers = state.withLock { $0.interests[topic] ?? [] }
        let message = Array(bytes.dropFirst(node.count))
        for receiver in receivers { receiver.receive(.message(message)) }
    }
}

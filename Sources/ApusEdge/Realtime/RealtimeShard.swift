import ApusHTTP
import ApusRealtime
import NIOCore
import Synchronization

/// The connections and topics of one event loop. What concerns them is done there, so that nothing of it needs a
/// lock; what comes from elsewhere waits in an outbox, and leaves for all connections at once.
///
/// Sendable: the outbox is behind a lock, everything else is touched on the event loop only.
final class RealtimeShard: @unchecked Sendable {
    /// Something to be told to members.
    enum Delivery: Sendable {
        /// Of one change: to all channels of each route, the route's message.
        case changes([Routed])
        /// To chosen channels, each its message.
        case messages([(channel: RealtimeChannel, message: WebSocketMessage)])
        case broadcast(TopicKey, Broadcast)
        case presence(TopicKey, [UInt8])
        case perform(@Sendable (RealtimeShard) -> Void)
    }

    typealias Routed = (route: ChangeRoute, message: WebSocketMessage)

    private struct Outbox {
        var deliveries: [Delivery] = []
        var isScheduled = false
    }

    let eventLoop: any EventLoop
    private let outbox = Mutex(Outbox())
    private(set) var connections: [ObjectIdentifier: RealtimeConnection] = [:]
    private var topics: [TopicKey: TopicMembers] = [:]
    /// The channels of each route. A route is kept alive by its readers' seats.
    private var readers: [ObjectIdentifier: RouteReaders] = [:]
    private var unflushed: [RealtimeConnection] = []

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    // MARK: - From anywhere

    /// Delivers soon, in the order of the calls of one caller.
    func post(_ delivery: Delivery) {
        let isFirst = outbox.withLock { outbox in
            outbox.deliveries.append(delivery)
            defer { outbox.isScheduled = true }
            return !outbox.isScheduled
        }
        if isFirst { eventLoop.execute { self.drain() } }
    }

    // MARK: - On the event loop

    func add(_ connection: RealtimeConnection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: RealtimeConnection) { connections[ObjectIdentifier(connection)] = nil }

    func join(_ channel: RealtimeChannel) {
        if let members = topics[channel.key] {
            members.add(channel)
        } else {
            let members = TopicMembers()
            members.add(channel)
            topics[channel.key] = members
        }
    }

    func leave(_ channel: RealtimeChannel) {
        guard let members = topics[channel.key] else { return }
        members.remove(channel)
        if members.isEmpty { topics[channel.key] = nil }
    }

    func follow(_ route: ChangeRoute, _ channel: RealtimeChannel) {
        readers[ObjectIdentifier(route), default: RouteReaders()].add(channel)
    }

    func unfollow(_ route: ChangeRoute, _ channel: RealtimeChannel) {
        let key = ObjectIdentifier(route)
        readers[key]?.remove(channel)
        if readers[key]?.isEmpty == true { readers[key] = nil }
    }

    /// Tells all members of a topic but one.
    ///
    /// - Parameter isLast: whether nothing is to follow that could leave in the same call.
    func broadcast(
        _ broadcast: Broadcast, to key: TopicKey, except sender: RealtimeChannel? = nil, isLast: Bool = false
    ) {
        guard let members = topics[key] else { return }
        var frames = BroadcastFrames(broadcast, topic: key.wireName)
        for channel in members.channels where channel !== sender && channel.access.hearsBroadcasts {
            guard let message = frames.message(for: channel.connection.version) else { continue }
            if isLast {
                if channel.isJoined { channel.connection.socket.sendNow(message) }
            } else {
                send(message, to: channel)
            }
        }
    }

    func presence(_ difference: [UInt8], on key: TopicKey) {
        guard let members = topics[key] else { return }
        var messages: [ChannelVersion: WebSocketMessage] = [:]
        for channel in members.channels where channel.seesPresence {
            let version = channel.connection.version
            let message =
                messages[version]
                ?? .text(
                    ServerFrames.text(
                        version, topic: key.wireName, event: "presence_diff", payload: difference))
            messages[version] = message
            send(message, to: channel)
        }
    }

    /// Puts a message into the queue of a channel's connection; ``flush()`` sends it.
    func send(_ message: WebSocketMessage, to channel: RealtimeChannel) {
        guard channel.isJoined else { return }
        send(message, on: channel.connection)
    }

    func send(_ message: WebSocketMessage, on connection: RealtimeConnection) {
        guard connection.socket.enqueue(message), !connection.isUnflushed else { return }
        connection.isUnflushed = true
        unflushed.append(connection)
    }

    func flush() {
        let waiting = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for connection in waiting {
            connection.isUnflushed = false
            connection.socket.flush()
        }
    }

    // MARK: - Non public

    private func drain() {
        let deliveries = outbox.withLock { outbox in
            defer { outbox = Outbox() }
            return outbox.deliveries
        }
        var changes: [Routed] = []
        for delivery in deliveries {
            if case .changes(let more) = delivery {
                changes += more
                continue
            }
            tell(&changes)
            switch delivery {
            case .changes: break
            case .messages(let messages): for item in messages { send(item.message, to: item.channel) }
            case .broadcast(let key, let broadcast):
                self.broadcast(broadcast, to: key, isLast: deliveries.count == 1)
            case .presence(let key, let difference): presence(difference, on: key)
            case .perform(let work): work(self)
            }
        }
        tell(&changes)
        flush()
    }

    /// Tells the channels of each route all that waits for them, one connection after the other: so each leaves in one
    /// call, and what belongs to a connection is looked at once.
    private func tell(_ changes: inout [Routed]) {
        defer { changes.removeAll(keepingCapacity: true) }
        guard let first = changes.first else { return }
        if changes.allSatisfy({ $0.route === first.route }) {
            return tell(readers[ObjectIdentifier(first.route)], changes.map(\.message))
        }
        var places: [ObjectIdentifier: Int] = [:]
        var waiting: [(route: ObjectIdentifier, messages: [WebSocketMessage])] = []
        for (route, message) in changes {
            let key = ObjectIdentifier(route)
            if let place = places[key] {
                waiting[place].messages.append(message)
            } else {
                places[key] = waiting.count
                waiting.append((key, [message]))
            }
        }
        for (route, messages) in waiting { tell(readers[route], messages) }
    }

    private func tell(_ readers: RouteReaders?, _ messages: [WebSocketMessage]) {
        guard let readers else { return }
        let pieces = WebSocketMessage.joined(messages)
        for socket in readers.sockets {
            for piece in pieces { socket.sendNow(piece) }
        }
    }
}

/// The channels that joined a topic on one event loop; each knows its place, so leaving costs the same in a topic of
/// ten thousand.
final class TopicMembers {
    private(set) var channels: [RealtimeChannel] = []

    var isEmpty: Bool { channels.isEmpty }

    func add(_ channel: RealtimeChannel) {
        channel.place = channels.count
        channels.append(channel)
    }

    func remove(_ channel: RealtimeChannel) {
        let place = channel.place
        guard place < channels.count, channels[place] === channel else { return }
        channels.swapAt(place, channels.count - 1)
        channels[place].place = place
        channels.removeLast()
    }
}

/// The channels of one event loop that a route leads to; each knows its place. They are there from their join to their
/// leave.
struct RouteReaders {
    private var channels: [RealtimeChannel] = []
    /// Their connections', at the same places. A delivery goes by these: of ten thousand channels and connections none is
    /// in the processor's caches.
    private(set) var sockets: [WebSocket] = []

    var isEmpty: Bool { channels.isEmpty }

    mutating func add(_ channel: RealtimeChannel) {
        channel.routePlace = channels.count
        channels.append(channel)
        sockets.append(channel.connection.socket)
    }

    mutating func remove(_ channel: RealtimeChannel) {
        let place = channel.routePlace
        guard place < channels.count, channels[place] === channel else { return }
        channels.swapAt(place, channels.count - 1)
        channels[place].routePlace = place
        channels.removeLast()
        sockets.swapAt(place, sockets.count - 1)
        sockets.removeLast()
    }
}

/// A broadcast as it goes over the wire, made once for each version that somebody speaks.
struct BroadcastFrames {
    private let broadcast: Broadcast
    private let topic: String
    /// Looked at for every member: two places, and no dictionary.
    private var one: WebSocketMessage??
    private var two: WebSocketMessage??

    init(_ broadcast: Broadcast, topic: String) {
        self.broadcast = broadcast
        self.topic = topic
    }

    /// nil for what the version cannot carry.
    mutating func message(for version: ChannelVersion) -> WebSocketMessage? {
        switch version {
        case .one:
            if let one { return one }
            let made = make(version)
            one = .some(made)
            return made
        case .two:
            if let two { return two }
            let made = make(version)
            two = .some(made)
            return made
        }
    }

    private func make(_ version: ChannelVersion) -> WebSocketMessage? {
        broadcast.frame(version, topic: topic).map { frame in
            frame.isBinary ? WebSocketMessage.binary(frame.bytes) : WebSocketMessage.text(frame.bytes)
        }
    }
}

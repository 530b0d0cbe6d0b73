import ApusHTTP
import ApusRealtime
import Synchronization

/// Brings committed changes to the channels that asked for them.
///
/// The feed hands transactions over, ``RowSubscriptions`` says who may hear of each, and each message is made once for
/// all who get the same bytes. Equal subscriptions are one (``ChangeGroup``), so that a change that ten thousand want
/// alike is judged once, and reaches each event loop as one message with the name of its readers.
final class ChangeDelivery: Sendable {
    struct State: ~Copyable {
        var groups: [ChangeGroupKey: ChangeGroup] = [:]
        var bySubscription: [UInt64: ChangeGroup] = [:]
    }

    let subscriptions: RowSubscriptions
    private let shards: ShardSet
    private let settings: RealtimeSettings
    private let counters: RealtimeHub.Counters
    let state = Mutex(State())
    private let inbox = TransactionInbox()

    init(
        subscriptions: RowSubscriptions, shards: ShardSet, settings: RealtimeSettings,
        counters: RealtimeHub.Counters
    ) {
        self.subscriptions = subscriptions
        self.shards = shards
        self.settings = settings
        self.counters = counters
    }

    /// Delivers until cancelled.
    func run(_ feed: ChangeFeed) async {
        let inbox = inbox
        let subscription = feed.subscribe(from: nil) { [self] event in
            if concerns(event) { inbox.put(event) }
        }
        await withTaskCancellationHandler {
            while let events = await inbox.take() { await deliver(events) }
        } onCancel: {
            inbox.close()
        }
        withExtendedLifetime(subscription) {}
    }

    // MARK: - Non public

    /// Whether anybody could hear of it: while nobody follows changes, none of them is worth waking a task. Who subscribes
    /// does so before it is told that it has, so what commits after that comes here later.
    private func concerns(_ event: FeedEvent) -> Bool {
        switch event {
        case .caughtUp: false
        case .epochChanged: true
        case .transaction(let transaction):
            !state.withLock { $0.bySubscription.isEmpty }
                || transaction.changes.contains { DatabaseMessage.broadcast(of: $0) != nil }
        }
    }

    private func deliver(_ events: [FeedEvent]) async {
        var transactions: [FeedTransaction] = []
        for event in events {
            switch event {
            case .transaction(let transaction): transactions.append(transaction)
            case .caughtUp: break
            case .epochChanged:
                await deliver(transactions)
                transactions = []
                interrupt()
            }
        }
        await deliver(transactions)
    }

    private func deliver(_ transactions: [FeedTransaction]) async {
        guard !transactions.isEmpty else { return }
        for transaction in transactions {
            for change in transaction.changes {
                guard let (key, broadcast) = DatabaseMessage.broadcast(of: change) else { continue }
                counters.broadcasts.increment()
                shards.post(.broadcast(key, broadcast))
            }
        }
        if state.withLock({ $0.bySubscription.isEmpty }) { return }
        for delivery in await subscriptions.deliveries(of: transactions) { dispatch(delivery) }
    }

    /// What one change sends to one event loop.
    private struct Batch {
        var shard: RealtimeShard
        var routed: [RealtimeShard.Routed] = []
        var single: [(channel: RealtimeChannel, message: WebSocketMessage)] = []
    }

    private func dispatch(_ delivery: RowDelivery) {
        var message = ChangeMessage(delivery, rowBytes: settings.rowBytes)
        // There are as many shards as event loops: few.
        var batches: [Batch] = []
        var count = 0
        var mixed: [ObjectIdentifier: Mixed] = [:]
        func batch(_ shard: RealtimeShard) -> Int {
            if let known = batches.firstIndex(where: { $0.shard === shard }) { return known }
            batches.append(Batch(shard: shard))
            return batches.count - 1
        }
        state.withLock { state in
            for recipient in delivery.recipients where delivery.reaches(recipient) {
                guard let group = state.bySubscription[recipient.subscription] else { continue }
                for (route, audience) in group.routes.values {
                    let made = message.message(route.form, bindings: [route.binding], recipient)
                    for (place, (shard, members)) in audience.enumerated() {
                        batches[batch(shard)].routed.append((route, place == 0 ? made : made.copy()))
                        count += members
                    }
                }
                for (key, entry) in group.mixed {
                    mixed[
                        key.channel,
                        default: Mixed(channel: entry.channel, form: entry.form, recipient: recipient)
                    ].bindings.append(key.binding)
                }
            }
        }
        for item in mixed.values {
            let made = message.message(item.form, bindings: item.bindings.sorted(), item.recipient)
            batches[batch(item.channel.connection.shard)].single.append((item.channel, made))
        }
        counters.changes.increment(by: count + mixed.count)
        for batch in batches {
            if !batch.routed.isEmpty { batch.shard.post(.changes(batch.routed)) }
            if !batch.single.isEmpty { batch.shard.post(.messages(batch.single)) }
        }
    }

    /// A channel with several entries, and those that match.
    private struct Mixed {
        var channel: RealtimeChannel
        var form: ChangeMessage.Form
        var recipient: RowDelivery.Recipient
        var bindings: [Int] = []
    }

    /// The stream has a gap: everybody who follows changes is told to join again.
    private func interrupt() {
        shards.post(
            .perform { shard in
                for connection in Array(shard.connections.values) {
                    for channel in Array(connection.channels.values)
                    where channel.isJoined && !channel.seats.isEmpty {
                        connection.interrupt(
                            channel, "The stream of changes was interrupted: join again and read afresh")
                    }
                }
            })
    }
}

extension RowDelivery {
    /// Whether the subscriber gets the change: it may see the row as it is now, or as it was before it went.
    func reaches(_ recipient: Recipient) -> Bool {
        guard recipient.fault == nil else { return false }
        return (change.kind == .delete ? recipient.before : recipient.after) == .seen
    }
}

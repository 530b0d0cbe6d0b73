import ApusFaults
import ApusHTTP
import ApusPostgres
import ApusRealtime
import Synchronization

/// Brings committed changes to the channels that asked for them.
///
/// The feed hands transactions over, ``RowSubscriptions`` says who may hear of each, and each message is made once for
/// all who get the same bytes.
final class ChangeDelivery: Sendable {
    /// Where the changes of one subscription go.
    struct Target: Sendable {
        var channel: RealtimeChannel
        var shard: RealtimeShard
        var binding: Int
        /// Whether the channel has other entries that the same change may match.
        var isOneOfMany: Bool
        var form: ChangeMessage.Form
    }

    private let subscriptions: RowSubscriptions
    private let shards: ShardSet
    private let settings: RealtimeSettings
    private let counters: RealtimeHub.Counters
    private let targets = Mutex<[UInt64: Target]>([:])
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

    // MARK: - Subscribing

    /// From its return on, every change that commits is looked at for the channel.
    func subscribe(
        _ channel: RealtimeChannel, _ changes: [JoinRequest.Changes], topic: String, version: ChannelVersion,
        principal: Principal
    ) async throws(ChannelFault) -> [UInt64] {
        var added: [UInt64] = []
        let numbers = ChangeBinding.ids(of: changes)
        for (number, entry) in zip(numbers, changes) {
            do throws(ChannelFault) {
                let id = try await add(entry, principal)
                added.append(id)
                let target = Target(
                    channel: channel, shard: channel.connection.shard, binding: number,
                    isOneOfMany: changes.count > 1,
                    form: ChangeMessage.Form(topic: topic, version: version, select: entry.select))
                targets.withLock { $0[id] = target }
            } catch {
                unsubscribe(added)
                throw error
            }
        }
        return added
    }

    func update(_ ids: [UInt64], principal: Principal) async throws(ChannelFault) {
        for id in ids {
            do throws(Fault) {
                try await subscriptions.update(id, principal: principal)
            } catch {
                throw Self.fault(error)
            }
        }
    }

    func unsubscribe(_ ids: [UInt64]) {
        targets.withLock { targets in for id in ids { targets[id] = nil } }
        let subscriptions = subscriptions
        Task { for id in ids { await subscriptions.remove(id) } }
    }

    private func add(
        _ entry: JoinRequest.Changes, _ principal: Principal
    ) async throws(ChannelFault) -> UInt64 {
        var filter = RowFilter()
        if let text = entry.filter { filter = RowFilter(try ChangeFilter(text)) }
        let subscription = RowSubscription(
            schema: entry.schema, table: entry.table, kinds: Self.kinds(entry.event), filter: filter,
            principal: principal, comparesOldRows: true)
        do throws(Fault) {
            return try await subscriptions.add(subscription)
        } catch {
            throw Self.fault(error)
        }
    }

    private static func kinds(_ event: ChangeEvent) -> Set<RowChange.Kind> {
        Set([.insert, .update, .delete].filter { event.covers($0) })
    }

    private static func fault(_ fault: Fault) -> ChannelFault {
        ChannelFault(
            .unableToSubscribe,
            "Unable to subscribe to changes with given parameters. \(fault.message)")
    }

    // MARK: - Delivering

    /// Delivers until cancelled.
    func run(_ feed: ChangeFeed) async {
        let inbox = inbox
        let subscription = feed.subscribe(from: nil) { inbox.put($0) }
        await withTaskCancellationHandler {
            while let events = await inbox.take() { await deliver(events) }
        } onCancel: {
            inbox.close()
        }
        withExtendedLifetime(subscription) {}
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
        let known = targets.withLock { $0.isEmpty }
        if known { return }
        for delivery in await subscriptions.deliveries(of: transactions) { dispatch(delivery) }
    }

    private func dispatch(_ delivery: RowDelivery) {
        var message = ChangeMessage(delivery, rowBytes: settings.rowBytes)
        var batches:
            [ObjectIdentifier: (shard: RealtimeShard, items: [(RealtimeChannel, WebSocketMessage)])] = [:]
        var many: [ObjectIdentifier: (target: Target, bindings: [Int], recipient: RowDelivery.Recipient)] =
            [:]
        func add(_ target: Target, _ bindings: [Int], _ recipient: RowDelivery.Recipient) {
            let made = message.message(target.form, bindings: bindings, recipient)
            batches[ObjectIdentifier(target.shard), default: (target.shard, [])].items.append(
                (target.channel, made))
        }
        targets.withLock { targets in
            for recipient in delivery.recipients where delivery.reaches(recipient) {
                guard let target = targets[recipient.subscription] else { continue }
                if target.isOneOfMany {
                    many[ObjectIdentifier(target.channel), default: (target, [], recipient)]
                        .bindings.append(target.binding)
                } else {
                    add(target, [target.binding], recipient)
                }
            }
        }
        for (target, bindings, recipient) in many.values { add(target, bindings.sorted(), recipient) }
        for batch in batches.values {
            counters.changes.increment(by: batch.items.count)
            batch.shard.post(.messages(batch.items))
        }
    }

    /// The stream has a gap: everybody who follows changes is told to join again.
    private func interrupt() {
        let channels = targets.withLock { targets in targets.values.map { ($0.shard, $0.channel) } }
        for (shard, channel) in channels {
            shard.post(
                .perform { _ in
                    guard channel.isJoined else { return }
                    channel.connection.interrupt(
                        channel, "The stream of changes was interrupted: join again and read afresh")
                })
        }
    }
}

extension RowDelivery {
    /// Whether the subscriber gets the change: it may see the row as it is now, or as it was before it went.
    func reaches(_ recipient: Recipient) -> Bool {
        guard recipient.fault == nil else { return false }
        return (change.kind == .delete ? recipient.before : recipient.after) == .seen
    }
}

extension RowFilter {
    /// The filter in the words of row subscriptions.
    init(_ filter: ChangeFilter) {
        self.init(
            filter.conditions.flatMap { condition -> [Condition] in
                let value = condition.values.first ?? ""
                let operation: Operation
                switch condition.operator {
                case .eq: operation = .compare(.equal, value)
                case .neq: operation = .compare(.notEqual, value)
                case .lt: operation = .compare(.less, value)
                case .lte: operation = .compare(.lessOrEqual, value)
                case .gt: operation = .compare(.greater, value)
                case .gte: operation = .compare(.greaterOrEqual, value)
                case .in: operation = .isIn(condition.values)
                case .isdistinct: operation = .isDistinct(value)
                case .like: operation = .pattern(.like, value)
                case .ilike: operation = .pattern(.ilike, value)
                case .match: operation = .pattern(.match, value)
                case .imatch: operation = .pattern(.imatch, value)
                case .is:
                    let words: [String: Operation] = [
                        "true": .isTrue, "false": .isFalse, "unknown": .isUnknown,
                    ]
                    operation = words[value] ?? .isNull
                }
                let isNegated = condition.isNegated != (condition.operator == .is && value == "not null")
                return [Condition(column: condition.column, isNegated: isNegated, operation)]
            })
    }
}

import ApusPostgres
import ApusSQL

/// The subscriptions to one table. Used by ``RowSubscriptions`` alone, which is an actor.
final class TableSubscriptions {
    /// A subscription's own condition.
    struct Filter {
        /// In the process; nil when PostgreSQL decides.
        var predicate: Predicate?
        var sql: SQL?
        /// Columns that it reads.
        var columns: [Int]
    }

    struct Member {
        var kinds: Set<RowChange.Kind>
        var comparesOldRows: Bool
        var audience: Audience
        var filter: Filter
        /// Where it stands in the index.
        var places: [ConditionIndex.Place]?
    }

    let table: TableAccess
    /// How many times a subscription was compared with a change.
    private(set) var comparisons = 0
    private var members: [UInt64: Member] = [:]
    private var ofAudience: [ObjectIdentifier: Set<UInt64>] = [:]
    private var index = ConditionIndex()
    private var maps: [ObjectIdentifier: (relation: FeedRelation, map: ColumnMap)] = [:]

    init(_ table: TableAccess) { self.table = table }

    var isEmpty: Bool { members.isEmpty }
    var audiences: Set<ObjectIdentifier> { Set(ofAudience.keys) }

    func insert(_ id: UInt64, _ subscription: RowSubscription, _ audience: Audience, _ filter: Filter) {
        remove(id)
        let places = Self.places(audience, filter)
        members[id] = Member(
            kinds: subscription.kinds, comparesOldRows: subscription.comparesOldRows, audience: audience,
            filter: filter, places: places)
        ofAudience[ObjectIdentifier(audience), default: []].insert(id)
        index.insert(id, at: places)
    }

    func remove(_ id: UInt64) {
        guard let member = members.removeValue(forKey: id) else { return }
        index.remove(id, from: member.places)
        let key = ObjectIdentifier(member.audience)
        ofAudience[key]?.remove(id)
        if ofAudience[key]?.isEmpty == true { ofAudience[key] = nil }
    }

    /// Puts the members of an audience whose binding has changed where they stand now.
    func place(_ audience: Audience) {
        for id in ofAudience[ObjectIdentifier(audience)] ?? [] {
            guard var member = members[id] else { continue }
            index.remove(id, from: member.places)
            member.places = Self.places(audience, member.filter)
            members[id] = member
            index.insert(id, at: member.places)
        }
    }

    /// The change with everybody who may hear of it; nil when nobody may. Where PostgreSQL must be asked, the recipient
    /// stands there as hidden until it was.
    ///
    /// - Parameter number: index that the delivery will have.
    func delivery(
        of transaction: FeedTransaction, at position: Int, number: Int, asking questions: inout PendingChecks
    ) -> RowDelivery? {
        let change = transaction.changes[position]
        var delivery = RowDelivery(transaction: transaction, index: position, table: table, recipients: [])
        if change.kind == .truncate {
            delivery.recipients = members.filter { $0.value.kinds.contains(.truncate) }.map { id, member in
                .init(
                    subscription: id, columns: member.audience.access.columns, before: .unknown, after: .none)
            }
            return delivery.recipients.isEmpty ? nil : delivery
        }
        let map = map(of: change.relation)
        let rows = (before: RowView.before(change, map), after: RowView.after(change, map))
        var asked = false
        let whole = [rows.after].compactMap { $0 }
        for id in index.candidates([rows.before, rows.after].compactMap { $0 }, whole: whole) {
            comparisons += 1
            guard let member = members[id], member.kinds.contains(change.kind) else { continue }
            let recipient = recipient(
                id, member, change, rows, place: (number, delivery.recipients.count), &questions)
            guard let recipient else { continue }
            asked = asked || recipient.isPending
            delivery.recipients.append(recipient.value)
        }
        return delivery.recipients.isEmpty && !asked ? nil : delivery
    }

    // MARK: - Non public

    private static func places(_ audience: Audience, _ filter: Filter) -> [ConditionIndex.Place]? {
        if case .nobody = audience.binding { return [] }
        var best: [ConditionIndex.Place]?
        if let predicate = filter.predicate { best = predicate.places([]) }
        if case .predicate(let predicate, let parameters) = audience.binding,
            let places = predicate.places(parameters), places.count < best?.count ?? .max
        {
            best = places
        }
        return best
    }

    private func map(of relation: FeedRelation) -> ColumnMap {
        let key = ObjectIdentifier(relation)
        if let known = maps[key] { return known.map }
        // The relation is kept beside its map, so that no other object can take its place in memory.
        if maps.count > 16 { maps = [:] }
        let made = ColumnMap(table, relation)
        maps[key] = (relation, made)
        return made
    }

    private func recipient(
        _ id: UInt64, _ member: Member, _ change: RowChange, _ rows: (before: RowView?, after: RowView?),
        place: (delivery: Int, recipient: Int), _ questions: inout PendingChecks
    ) -> (value: RowDelivery.Recipient, isPending: Bool)? {
        let looksBack = change.kind == .delete || member.comparesOldRows
        var after = RowDelivery.Presence.none
        var before = RowDelivery.Presence.none
        var isPending = false
        if change.kind != .delete {
            after = Self.presence(rows.after, member)
            if after == .unknown, let row = rows.after {
                isPending = questions.ask(row, .after, member, table, place) || isPending
            }
        }
        if change.kind != .insert, looksBack {
            before = rows.before == nil ? .unknown : Self.presence(rows.before, member)
            if before == .unknown, let row = rows.before {
                isPending = questions.ask(row, .before, member, table, place) || isPending
            }
        }
        let isHidden = (after == .hidden || after == .none) && (before == .hidden || before == .none)
        if isHidden, !isPending { return nil }
        return (
            .init(subscription: id, columns: member.audience.access.columns, before: before, after: after),
            isPending
        )
    }

    /// `unknown` where PostgreSQL must be asked, or a value is missing.
    private static func presence(_ row: RowView?, _ member: Member) -> RowDelivery.Presence {
        guard let row else { return .none }
        var truth = Truth.true
        if let predicate = member.filter.predicate {
            truth = predicate.evaluate(row, [])
        } else {
            truth = .unknown
        }
        switch member.audience.binding {
        case .everybody: break
        case .nobody: return .hidden
        case .predicate(let predicate, let parameters):
            truth = truth & predicate.evaluate(row, parameters)
        case .check: truth = truth & .unknown
        }
        switch truth {
        case .true: return .seen
        case .false, .null: return .hidden
        case .unknown: return .unknown
        }
    }
}

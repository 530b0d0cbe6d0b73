/// The views through which reads look at one table.
struct ViewedTable {
    let access: TableAccess
    private(set) var comparisons = 0
    private var members: Set<UInt64> = []
    private var index = ConditionIndex()
    /// Settled reads by the rows that they show.
    private var holders: [RowKey: Set<UInt64>] = [:]
    /// Reads whose rows do not say what is in view.
    private var unsettled: Set<UInt64> = []
    private var key: [String]?
    private var maps: [ObjectIdentifier: (relation: FeedRelation, map: ColumnMap)] = [:]

    init(_ access: TableAccess) { self.access = access }

    var isEmpty: Bool { members.isEmpty }

    // MARK: - Reads

    mutating func insert(_ id: UInt64, _ entry: ConcernEntry, key: [String]?) {
        guard let view = entry.view else { return }
        members.insert(id)
        index.insert(id, at: view.predicate.places(view.parameters))
        unsettled.insert(id)
        self.key = self.key ?? key
    }

    mutating func remove(_ id: UInt64, _ entry: ConcernEntry) {
        guard let view = entry.view else { return }
        members.remove(id)
        index.remove(id, from: view.predicate.places(view.parameters))
        place(id, isSettled: true, before: entry.keys, after: [])
    }

    mutating func place(_ id: UInt64, isSettled: Bool, before: Set<RowKey>, after: Set<RowKey>) {
        if isSettled { unsettled.remove(id) } else { unsettled.insert(id) }
        for key in before where !after.contains(key) {
            holders[key]?.remove(id)
            if holders[key]?.isEmpty == true { holders[key] = nil }
        }
        for key in after { holders[key, default: []].insert(id) }
    }

    mutating func unsettle(_ id: UInt64) { unsettled.insert(id) }

    // MARK: - Changes

    /// Adds those whom the change concerns.
    mutating func judge(
        _ change: RowChange, _ entries: [UInt64: ConcernEntry], _ concerned: inout Set<UInt64>
    ) {
        if change.kind == .truncate { return concerned.formUnion(members) }
        let map = map(of: change.relation)
        let after = RowView.after(change, map)
        let before = RowView.before(change, map)
        let showsOld = change.kind == .insert || change.oldIsWhole
        let rows = [before, after].compactMap { $0 }
        let whole = showsOld ? rows : [after].compactMap { $0 }
        for id in index.candidates(rows, whole: whole) where !concerned.contains(id) {
            guard let view = entries[id]?.view else { continue }
            comparisons += 1
            if mayHold(after, view) || (showsOld && mayHold(before, view)) { concerned.insert(id) }
        }
        if showsOld { return }
        for id in mayHaveShown(change) where !concerned.contains(id) {
            guard let view = entries[id]?.view else { continue }
            comparisons += 1
            // What travels of the old row may be enough to know.
            if before.map({ mayHold($0, view) }) ?? true { concerned.insert(id) }
        }
    }

    // MARK: - Non public

    /// Whether the row is in view, or nobody here can say.
    private func mayHold(_ row: RowView?, _ view: LiveView) -> Bool {
        guard let row else { return false }
        let truth = view.predicate.evaluate(row, view.parameters)
        return truth == .true || truth == .unknown
    }

    private func mayHaveShown(_ change: RowChange) -> Set<UInt64> {
        guard let key, let names = RowKey.names(of: change, key: key) else { return members }
        var found = unsettled
        for name in names { if let ids = holders[name] { found.formUnion(ids) } }
        return found
    }

    private mutating func map(of relation: FeedRelation) -> ColumnMap {
        let identity = ObjectIdentifier(relation)
        if let known = maps[identity] { return known.map }
        // The relation is kept beside its map, so that no other object can take its place in memory.
        if maps.count > 16 { maps = [:] }
        let made = ColumnMap(access, relation)
        maps[identity] = (relation, made)
        return made
    }
}

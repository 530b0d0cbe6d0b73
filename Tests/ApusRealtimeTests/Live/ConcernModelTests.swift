import ApusPostgres
import Testing

@testable import ApusRealtime

/// The index of concerns against a table in memory, read and fed in every order that PostgreSQL allows: whenever nothing is
/// left to do, every read that is followed shows what a fresh one would.
@Suite struct ConcernModelTests {
    @Test(arguments: [FeedRelation.ReplicaIdentity.default, .full])
    func everyReadEndsUpFresh(identity: FeedRelation.ReplicaIdentity) {
        var spared = 0
        for seed in 1...200 {
            var world = World(seed: UInt64(seed), identity: identity)
            for _ in 0..<120 { world.step() }
            world.finish()
            for read in world.reads.values {
                #expect(
                    read.shown == world.fresh(read),
                    "seed \(seed), \(read.condition), limit \(read.limit ?? -1)")
            }
            spared += world.spared
        }
        // Or nothing would have been shown.
        #expect(spared > 3_000)
    }

    @Test func theNumberOfReadsDoesNotDecideAboutTheCostOfAChange() {
        let table = World.table
        let index = ConcernIndex()
        for id in 1...10_000 {
            index.enter(UInt64(id), relations: [1], subject: 1) { .zero }
            let condition = RowCondition.test(.init(column: "a", .compare(.equal, "\(id)")))
            let view = LiveView(table: table, predicate: condition.predicate(table)!)
            #expect(index.look(UInt64(id), through: view, key: ["id"], mark: 0))
            #expect(index.settle(UInt64(id), keys: [RowKey(["\(id)".utf8])], at: .zero))
        }
        let relation = World.relation(.default)
        let change = RowChange(
            kind: .update, relation: relation, new: World.values(.init(id: 7, a: 8, b: "x", c: true)))
        let transaction = World.transaction(10, [change])
        #expect(index.outcome(of: transaction).concerned == [7, 8])
        #expect(index.comparisons == 2)
    }
}

/// A table, its log, a feed that lags behind it, and reads that lag behind both.
private struct World {
    struct Row: Equatable {
        var id: Int
        var a: Int?
        var b: String
        var c: Bool
    }

    /// The rows that a change takes and gives.
    struct Change {
        var old: Row?
        var new: Row?
    }

    struct Read {
        var condition: RowCondition
        var limit: Int?
        var shown: [Row] = []
        var isDirty = true
        /// Of the answer that is under way: what it saw, and the position that it vouches for.
        var asked: (rows: [Row], position: LSN)?
        var hasView = false
    }

    var reads: [UInt64: Read] = [:]
    /// Changes that did not have a read asked again.
    private(set) var spared = 0
    private var log: [[Change]] = []
    private var fed = 0
    private var proven = 0
    private let index = ConcernIndex()
    private let identity: FeedRelation.ReplicaIdentity
    private let relation: FeedRelation
    private var random: SplitMix

    init(seed: UInt64, identity: FeedRelation.ReplicaIdentity) {
        random = SplitMix(state: seed)
        self.identity = identity
        relation = Self.relation(identity)
        for id in 1...6 {
            let read = Read(condition: condition(depth: 2), limit: random.below(3) == 0 ? 2 : nil)
            reads[UInt64(id)] = read
            index.enter(UInt64(id), relations: [1], subject: 1) { .zero }
        }
    }

    // MARK: - What happens

    mutating func step() {
        switch random.below(5) {
        case 0: commit()
        case 1: feed()
        case 2: proven = max(proven, random.below(fed + 1))
        case 3: ask()
        default: answer()
        }
    }

    /// Until nothing is left to do.
    mutating func finish() {
        while fed < log.count { feed() }
        proven = fed
        while reads.values.contains(where: { $0.isDirty || $0.asked != nil }) {
            answer()
            ask()
        }
    }

    private mutating func commit() {
        var state = rows(of: Set(log.indices))
        var changes: [Change] = []
        for _ in 0...random.below(2) {
            let id = 1 + random.below(8)
            let old = state.first { $0.id == id }
            var new: Row?
            if random.below(4) > 0 || old == nil {
                // Now and then another key.
                let newID = old != nil && random.below(6) == 0 ? 1 + random.below(8) : id
                if newID != id, state.contains(where: { $0.id == newID }) { continue }
                new = Row(
                    id: newID, a: random.below(4) == 0 ? nil : random.below(3),
                    b: ["x", "y"][random.below(2)], c: random.below(2) == 0)
            }
            state.removeAll { $0.id == id }
            if let new { state.append(new) }
            changes.append(Change(old: old, new: new))
        }
        log.append(changes)
    }

    private mutating func feed() {
        guard fed < log.count else { return }
        let changes = log[fed].map { change -> RowChange in
            let kind: RowChange.Kind =
                change.old == nil ? .insert : change.new == nil ? .delete : .update
            return RowChange(
                kind: kind, relation: relation, new: change.new.map(Self.values),
                old: old(change).map { $0 })
        }
        let concerned = index.outcome(of: Self.transaction(fed + 1, changes)).concerned
        fed += 1
        for id in concerned { reads[id]?.isDirty = true }
        spared += reads.count - concerned.count
    }

    /// What PostgreSQL sends of an old row.
    private func old(_ change: Change) -> [FeedValue]? {
        guard let old = change.old else { return nil }
        if identity == .full { return Self.values(old) }
        if let new = change.new, new.id == old.id { return nil }
        return [.text(Array("\(old.id)".utf8)[...]), .null, .null, .null]
    }

    /// Begins a read: it sees everything that is proven, and of the rest what happens to be visible.
    private mutating func ask() {
        for id in reads.keys.sorted() {
            guard let read = reads[id], read.isDirty, read.asked == nil, random.below(2) == 0 else {
                continue
            }
            var seen = Set(0..<proven)
            for number in proven..<log.count where random.below(2) == 0 {
                // Who changes a row has waited for those who changed it before.
                let rows = ids(log[number])
                let waitsFor = log[..<number].indices.filter { !ids(log[$0]).isDisjoint(with: rows) }
                if waitsFor.allSatisfy(seen.contains) { seen.insert(number) }
            }
            let found = fresh(read, rows(of: seen))
            reads[id]?.asked = (found, Self.position(proven))
            reads[id]?.isDirty = false
        }
    }

    private mutating func answer() {
        for id in reads.keys.sorted() {
            guard let read = reads[id], let asked = read.asked, random.below(2) == 0 else { continue }
            reads[id]?.asked = nil
            reads[id]?.shown = asked.rows
            let keys = Set(asked.rows.map { RowKey(["\($0.id)".utf8]) })
            if !index.settle(id, keys: keys, at: asked.position) { reads[id]?.isDirty = true }
            if !read.hasView, random.below(2) == 0, let predicate = read.condition.predicate(Self.table) {
                let view = LiveView(table: Self.table, predicate: predicate)
                let isHeld = index.look(id, through: view, key: ["id"], mark: index.mark(of: id))
                reads[id]?.hasView = isHeld
                _ = index.settle(id, keys: keys, at: asked.position)
            }
        }
    }

    // MARK: - What is true

    func fresh(_ read: Read) -> [Row] { fresh(read, rows(of: Set(log.indices))) }

    private func fresh(_ read: Read, _ rows: [Row]) -> [Row] {
        let found = rows.filter { holds(read.condition, $0) == true }.sorted { $0.id < $1.id }
        return read.limit.map { Array(found.prefix($0)) } ?? found
    }

    /// The table with the effects of these transactions.
    private func rows(of transactions: Set<Int>) -> [Row] {
        var rows: [Row] = []
        for number in log.indices where transactions.contains(number) {
            for change in log[number] {
                if let old = change.old { rows.removeAll { $0.id == old.id } }
                if let new = change.new {
                    rows.removeAll { $0.id == new.id }
                    rows.append(new)
                }
            }
        }
        return rows
    }

    private func ids(_ changes: [Change]) -> Set<Int> {
        Set(changes.flatMap { [$0.old?.id, $0.new?.id].compactMap { $0 } })
    }

    private mutating func condition(depth: Int) -> RowCondition {
        switch random.below(depth > 0 ? 9 : 6) {
        case 0, 1: return .test(.init(column: "a", .compare(.equal, "\(random.below(3))")))
        case 2: return .test(.init(column: "a", isNegated: random.below(2) == 0, .isIn(["0", "2"])))
        case 3: return .test(.init(column: "b", .compare(.equal, "x")))
        case 4: return .test(.init(column: "a", .isNull))
        case 5: return .test(.init(column: "c", .isTrue))
        case 6: return .and([condition(depth: depth - 1), condition(depth: depth - 1)])
        case 7: return .or([condition(depth: depth - 1), condition(depth: depth - 1)])
        default: return .not(condition(depth: depth - 1))
        }
    }

    /// In three-valued logic, by other code than the one that is tested.
    private func holds(_ condition: RowCondition, _ row: Row) -> Bool? {
        switch condition {
        case .and(let items):
            let truths = items.map { holds($0, row) }
            return truths.contains(false) ? false : truths.contains(nil) ? nil : true
        case .or(let items):
            let truths = items.map { holds($0, row) }
            return truths.contains(true) ? true : truths.contains(nil) ? nil : false
        case .not(let inner): return holds(inner, row).map { !$0 }
        case .undecided: return nil
        case .test(let test):
            let truth: Bool?
            switch test.operation {
            case .compare(_, let text):
                truth = test.column == "b" ? row.b == text : row.a.map { "\($0)" == text }
            case .isIn(let texts): truth = row.a.map { texts.contains("\($0)") }
            case .isNull: truth = row.a == nil
            default: truth = row.c
            }
            return test.isNegated ? truth.map { !$0 } : truth
        }
    }

    // MARK: - As the feed has it

    static let table = TableAccess(
        oid: 1, schema: "public", name: "t",
        columns: [("id", 20), ("a", 23), ("b", 25), ("c", 16)].map { name, type in
            .init(
                name: name, typeOID: type, baseTypeOID: type, elementTypeOID: 0, isEnum: false,
                typeName: "", isDeterministic: true)
        }, key: ["id"], hasRowSecurity: false, bindsOwner: false, policies: [])

    static func relation(_ identity: FeedRelation.ReplicaIdentity) -> FeedRelation {
        FeedRelation(
            oid: 1, schema: "public", name: "t",
            columns: table.columns.map {
                .init(
                    name: $0.name, typeOID: $0.typeOID, typeName: "",
                    isKey: identity == .full || $0.name == "id")
            }, replicaIdentity: identity)
    }

    static func values(_ row: Row) -> [FeedValue] {
        func text(_ text: String) -> FeedValue { .text(Array(text.utf8)[...]) }
        return [
            text("\(row.id)"), row.a.map { text("\($0)") } ?? .null, text(row.b), text(row.c ? "t" : "f"),
        ]
    }

    static func position(_ number: Int) -> LSN { LSN(UInt64(number) * 10) }

    static func transaction(_ number: Int, _ changes: [RowChange]) -> FeedTransaction {
        FeedTransaction(
            position: FeedPosition(epoch: 1, lsn: LSN(UInt64(number) * 10 - 5)), endLSN: position(number),
            commitTime: 0, xid: UInt32(number), fullXID: UInt64(number), changes: changes)
    }
}

/// The same numbers for the same seed.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((value ^ (value >> 31)) % UInt64(limit))
    }
}

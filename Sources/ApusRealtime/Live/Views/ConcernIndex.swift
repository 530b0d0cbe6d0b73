package import ApusPostgres
import Synchronization

/// Knows of reads that are followed which changes concern them, so that all others cost nothing.
///
/// A read is *settled* when it has shown everything that concerned it: its rows are those that are in view. A change of
/// the table that it looks at does not concern it when the row is not in view afterwards, and was not before: by the old
/// row, where enough of it travels, or else because a settled read does not show it. Everything else concerns it:
/// changes of other tables that it reads, and of its own while its view is not known.
///
/// Why that is exact: a transaction that does not concern a read leaves its rows as they are, if they are those of the
/// moment before. They are, because what concerned it earlier is shown by a settled read, or else makes it unsettled; and
/// because a snapshot that shows a later change of a row shows its earlier ones.
package final class ConcernIndex: Sendable {
    private struct State {
        var entries: [UInt64: ConcernEntry] = [:]
        /// Whom any change of a table concerns.
        var always: [UInt32: Set<UInt64>] = [:]
        /// Whose views are made of what a table holds.
        var ofSources: [UInt32: Set<UInt64>] = [:]
        /// By object id, one for each description of the table.
        var tables: [UInt32: [ViewedTable]] = [:]
    }

    /// What a transaction means for reads.
    package struct Outcome: Sendable {
        /// Whose results it may change.
        package var concerned: Set<UInt64> = []
        /// Whose views do not hold any more; they are among the concerned.
        package var blinded: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Reads that a change was compared with, one by one.
    package var comparisons: Int {
        state.withLock { $0.tables.values.joined().reduce(0) { $0 + $1.comparisons } }
    }

    // MARK: - Reads

    /// From now on transactions are looked at for a read, all of whose changes concern it for the time being.
    ///
    /// - Parameters:
    ///   - relations: every table that it reads.
    ///   - subject: the one that it may be looked at through a view; nil: none.
    ///   - lastChange: when one of them changed last.
    package func enter(_ id: UInt64, relations: [UInt32], subject: UInt32?, lastChange: () -> LSN) {
        state.withLock { state in
            for relation in relations { state.always[relation, default: []].insert(id) }
            // Asked after it stands here: what is heard of from now on is looked at.
            state.entries[id] = ConcernEntry(
                relations: relations, subject: subject, lastConcern: lastChange())
        }
    }

    package func leave(_ id: UInt64) {
        state.withLock { state in
            Self.blind(id, &state)
            guard let entry = state.entries.removeValue(forKey: id) else { return }
            for relation in entry.relations {
                state.always[relation]?.remove(id)
                if state.always[relation]?.isEmpty == true { state.always[relation] = nil }
            }
        }
    }

    /// Whether a read is followed that has no view.
    package func needsView(_ id: UInt64) -> Bool {
        state.withLock { state in state.entries[id].map { $0.view == nil } ?? false }
    }

    /// Position of the last transaction that concerned a read.
    package func lastConcern(of id: UInt64) -> LSN { state.withLock { $0.entries[id]?.lastConcern ?? .zero } }

    /// A number that grows when something happens that may change a read's view.
    package func mark(of id: UInt64) -> UInt64 { state.withLock { $0.entries[id]?.mark ?? 0 } }

    /// Has a read's own table looked at through a view.
    ///
    /// - Parameters:
    ///   - key: names of the columns that tell the table's rows apart, if a settled read's rows show which are in view;
    ///     nil when they do not.
    ///   - mark: of the moment before the view was made.
    /// - Returns: whether the view still held.
    package func look(_ id: UInt64, through view: LiveView, key: [String]?, mark: UInt64) -> Bool {
        state.withLock { state in
            guard var entry = state.entries[id], entry.view == nil, entry.subject == view.table.oid,
                entry.mark == mark
            else { return false }
            entry.view = view
            entry.usesKeys = key != nil
            entry.isSettled = false
            entry.settledAt = .zero
            let oid = view.table.oid
            var tables = state.tables[oid] ?? []
            state.tables[oid] = nil
            if !tables.contains(where: { $0.access === view.table }) {
                tables.append(ViewedTable(view.table))
            }
            for index in tables.indices where tables[index].access === view.table {
                tables[index].insert(id, entry, key: key)
            }
            state.tables[oid] = tables
            state.entries[id] = entry
            state.always[oid]?.remove(id)
            for source in view.sources { state.ofSources[source, default: []].insert(id) }
            return true
        }
    }

    /// A read has been answered.
    ///
    /// - Parameters:
    ///   - keys: of the rows that it shows; nil when they are not known.
    ///   - position: everything that committed up to here is in it.
    /// - Returns: whether it shows everything that concerned it so far.
    package func settle(_ id: UInt64, keys: Set<RowKey>?, at position: LSN) -> Bool {
        state.withLock { state in
            guard var entry = state.entries[id] else { return true }
            guard entry.lastConcern <= position else { return false }
            // An answer that came late says nothing new.
            if let view = entry.view, entry.usesKeys, entry.settledAt <= position {
                entry.settledAt = position
                let before = entry.keys
                entry.keys = keys ?? []
                entry.isSettled = keys != nil
                Self.update(view.table, &state) { table in
                    table.place(id, isSettled: entry.isSettled, before: before, after: entry.keys)
                }
                state.entries[id] = entry
            }
            return true
        }
    }

    /// Continuity is lost: nothing that is known holds.
    package func forget() {
        state.withLock { state in
            for id in Array(state.entries.keys) {
                Self.blind(id, &state)
                state.entries[id]?.mark += 1
                state.entries[id]?.lastConcern = .zero
            }
        }
    }

    // MARK: - Changes

    /// Whom a transaction concerns. To be called with every transaction, in order.
    package func outcome(of transaction: FeedTransaction) -> Outcome {
        state.withLock { state in
            var outcome = Outcome()
            if state.entries.isEmpty { return outcome }
            var relations: Set<UInt32> = []
            for change in transaction.changes {
                let oid = change.relation.oid
                if relations.insert(oid).inserted { Self.note(changeOf: oid, &outcome, &state) }
                guard var tables = state.tables[oid] else { continue }
                state.tables[oid] = nil
                for index in tables.indices {
                    tables[index].judge(change, state.entries, &outcome.concerned)
                }
                state.tables[oid] = tables
            }
            Self.note(outcome, transaction.endLSN, &state)
            return outcome
        }
    }

    // MARK: - Non public

    private static func note(changeOf relation: UInt32, _ outcome: inout Outcome, _ state: inout State) {
        if let all = state.always[relation] {
            outcome.concerned.formUnion(all)
            // A view that is being made may be made of what has changed.
            for id in all where state.entries[id]?.subject != relation { state.entries[id]?.mark += 1 }
        }
        if let all = state.ofSources[relation] { outcome.blinded.formUnion(all) }
    }

    private static func note(_ outcome: Outcome, _ position: LSN, _ state: inout State) {
        for id in outcome.blinded { blind(id, &state) }
        for id in outcome.concerned {
            guard var entry = state.entries[id] else { continue }
            entry.lastConcern = max(entry.lastConcern, position)
            if let view = entry.view, entry.isSettled {
                entry.isSettled = false
                update(view.table, &state) { $0.unsettle(id) }
            }
            state.entries[id] = entry
        }
    }

    /// Takes a read's view away: any change concerns it again.
    private static func blind(_ id: UInt64, _ state: inout State) {
        guard var entry = state.entries[id], let view = entry.view else { return }
        update(view.table, &state) { $0.remove(id, entry) }
        state.tables[view.table.oid]?.removeAll { $0.isEmpty }
        if state.tables[view.table.oid]?.isEmpty == true { state.tables[view.table.oid] = nil }
        for source in view.sources {
            state.ofSources[source]?.remove(id)
            if state.ofSources[source]?.isEmpty == true { state.ofSources[source] = nil }
        }
        state.always[view.table.oid, default: []].insert(id)
        entry.view = nil
        entry.keys = []
        entry.isSettled = false
        entry.mark += 1
        state.entries[id] = entry
    }

    private static func update(
        _ table: TableAccess, _ state: inout State, _ change: (inout ViewedTable) -> Void
    ) {
        guard let index = state.tables[table.oid]?.firstIndex(where: { $0.access === table }) else { return }
        change(&state.tables[table.oid]![index])
    }
}

/// One read in a ``ConcernIndex``.
struct ConcernEntry {
    var relations: [UInt32]
    var subject: UInt32?
    /// Of the last transaction that concerned it.
    var lastConcern: LSN
    var view: LiveView?
    /// Whether a settled read's rows show which are in view.
    var usesKeys = false
    var isSettled = false
    /// Position of the answer that it was settled by.
    var settledAt = LSN.zero
    /// Rows that it shows, while it is settled.
    var keys: Set<RowKey> = []
    var mark: UInt64 = 0

    init(relations: [UInt32], subject: UInt32?, lastConcern: LSN) {
        self.relations = relations
        self.subject = subject
        self.lastConcern = lastConcern
    }
}

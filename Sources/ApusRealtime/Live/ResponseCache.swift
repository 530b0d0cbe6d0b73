import ApusPostgres
import Synchronization

/// Keeps answers until the feed shows a change that may alter them.
///
/// Bounded by bytes in two generations: what is asked for moves to the young one, and when that is full the old one goes.
///
/// An answer is any object: a class that is generic over it would not be specialized across modules.
package final class ResponseCache: Sendable {
    package typealias Value = any AnyObject & Sendable

    /// What an answer depends on.
    package struct Dependence: Sendable {
        /// Every table that was, or could have been, read.
        package var relations: [UInt32]
        /// Where only rows of the first of them with this value in its key column count: the column's name and the
        /// value.
        package var key: (relation: UInt32, column: String, value: Scalar)?

        package init(relations: [UInt32], key: (relation: UInt32, column: String, value: Scalar)? = nil) {
            self.relations = relations
            self.key = key
        }
    }

    private struct Entry {
        var value: Value
        var bytes: Int
        var dependence: Dependence
    }

    private struct KeyPlace: Hashable {
        var relation: UInt32
        var value: Scalar
    }

    private struct Generation {
        var entries: [[UInt8]: Entry] = [:]
        var bytes = 0
        var ofRelation: [UInt32: Set<[UInt8]>] = [:]
        var ofKey: [KeyPlace: Set<[UInt8]>] = [:]

        mutating func insert(_ entry: Entry, _ key: [UInt8]) {
            remove(key)
            entries[key] = entry
            bytes += entry.bytes
            for relation in entry.dependence.relations where relation != entry.dependence.key?.relation {
                ofRelation[relation, default: []].insert(key)
            }
            if let place = entry.dependence.key {
                ofKey[.init(relation: place.relation, value: place.value), default: []].insert(key)
            }
        }

        mutating func remove(_ key: [UInt8]) {
            guard let entry = entries.removeValue(forKey: key) else { return }
            bytes -= entry.bytes
            for relation in entry.dependence.relations where relation != entry.dependence.key?.relation {
                ofRelation[relation]?.remove(key)
            }
            if let place = entry.dependence.key {
                let place = KeyPlace(relation: place.relation, value: place.value)
                ofKey[place]?.remove(key)
                if ofKey[place]?.isEmpty == true { ofKey[place] = nil }
            }
        }

        /// Keys whose answers may be altered by a change.
        func touched(by change: RowChange, _ keyColumn: String?) -> Set<[UInt8]> {
            let oid = change.relation.oid
            var touched = ofRelation[oid] ?? []
            guard let keyColumn, !ofKey.isEmpty else { return touched }
            let column = change.relation.columnIndex(keyColumn)
            for row in [change.new, change.old].compactMap({ $0 }) {
                guard let column, row.indices.contains(column), case .text(let text) = row[column],
                    let kind = ScalarKind(typeOID: change.relation.columns[column].typeOID),
                    let value = Scalar(text, kind: kind)
                else {
                    // A key that cannot be read concerns all of them.
                    return touched.union(entries.filter { $0.value.dependence.relations.contains(oid) }.keys)
                }
                touched.formUnion(ofKey[.init(relation: oid, value: value)] ?? [])
            }
            if change.kind == .truncate || !change.tellsOldKey {
                touched.formUnion(entries.filter { $0.value.dependence.relations.contains(oid) }.keys)
            }
            return touched
        }
    }

    private struct State {
        var young = Generation()
        var old = Generation()
        /// The key column by which answers of a table stand in `ofKey`.
        var keyColumns: [UInt32: String] = [:]
        var hits = 0
        var misses = 0
        var dropped = 0
        /// Hashes of keys that were asked for once: an answer is kept when it is asked for again.
        var asked: [UInt64] = Array(repeating: 0, count: 1 << 14)
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: bytes of all answers together.
    package init(limit: Int) { self.limit = limit }

    /// The largest answer that is kept, in bytes.
    package var largest: Int { limit / 16 }

    package var statistics: (hits: Int, misses: Int, dropped: Int, bytes: Int, entries: Int) {
        state.withLock {
            (
                $0.hits, $0.misses, $0.dropped, $0.young.bytes + $0.old.bytes,
                $0.young.entries.count + $0.old.entries.count
            )
        }
    }

    package func find(_ key: [UInt8]) -> Value? {
        state.withLock { state in
            if let entry = state.young.entries[key] {
                state.hits += 1
                return entry.value
            }
            guard let entry = state.old.entries[key] else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            state.old.remove(key)
            insert(entry, key, &state)
            return entry.value
        }
    }

    /// Whether the key with this hash was asked for before; it counts as asked for now.
    package func isWorthKeeping(hash: UInt64) -> Bool {
        let value = hash | 1
        return state.withLock { state in
            let slot = Int(truncatingIfNeeded: value >> 20) & (state.asked.count - 1)
            defer { state.asked[slot] = value }
            return state.asked[slot] == value
        }
    }

    /// Keeps an answer.
    ///
    /// - Parameter isStillTrue: asked while no change can be taken in: whether nothing has altered it meanwhile.
    package func insert(
        _ value: Value, bytes: Int, for key: [UInt8], _ dependence: Dependence, if isStillTrue: () -> Bool
    ) {
        guard bytes <= largest else { return }
        let entry = Entry(value: value, bytes: bytes + key.count + 200, dependence: dependence)
        state.withLock { state in
            guard isStillTrue() else { return }
            if let place = dependence.key {
                if let known = state.keyColumns[place.relation], known != place.column { return }
                state.keyColumns[place.relation] = place.column
            }
            state.old.remove(key)
            insert(entry, key, &state)
        }
    }

    /// Takes in changes: drops what they may alter.
    package func drop(by changes: [RowChange]) {
        state.withLock { state in
            for change in changes {
                let column = state.keyColumns[change.relation.oid]
                for key in state.young.touched(by: change, column) {
                    state.young.remove(key)
                    state.dropped += 1
                }
                for key in state.old.touched(by: change, column) {
                    state.old.remove(key)
                    state.dropped += 1
                }
            }
        }
    }

    package func removeAll() {
        state.withLock { state in
            state.young = Generation()
            state.old = Generation()
            state.keyColumns = [:]
        }
    }

    private func insert(_ entry: Entry, _ key: [UInt8], _ state: inout State) {
        if state.young.bytes + entry.bytes > limit / 2 {
            state.old = state.young
            state.young = Generation()
        }
        state.young.insert(entry, key)
    }
}

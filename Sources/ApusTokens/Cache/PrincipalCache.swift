import ApusPostgres
import Synchronization

/// Remembers whose a verified token is, so that the common request costs one hash and one comparison.
///
/// Bounded: a new entry takes the place of one that was not asked for lately (second chance: a hand goes round the
/// slots, spares once what was used since it last came by, and takes the first that was not). Found by hash, decided
/// by comparing every byte of the token: two tokens with one hash are two tokens.
final class PrincipalCache: Sendable {
    private let state: Mutex<State>

    /// `capacity`: entries; 0 remembers nothing.
    init(capacity: Int) {
        state = Mutex(State(capacity: max(0, capacity)))
    }

    /// The hash to find a token by: of its end, which is its signature and so differs wherever tokens differ, and of
    /// its length. Seeded anew in every process, so that nobody can prepare collisions.
    static func hash(_ token: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(token.count)
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: token.suffix(32)))
        return hasher.finalize()
    }

    /// The principal of exactly this token while it holds; an entry whose time is over is dropped.
    func principal(for token: UnsafeRawBufferPointer, hash: Int, at now: Int64) -> Principal? {
        state.withLock { $0.find(token, hash, now) }
    }

    func insert(
        _ principal: Principal, for token: UnsafeRawBufferPointer, hash: Int, validity: Validity
    ) {
        let entry = Entry(token: Array(token), hash: hash, principal: principal, validity: validity)
        state.withLock { $0.insert(entry) }
    }

    var statistics: TokenCacheStatistics { state.withLock { $0.statistics } }

    // MARK: - Non public

    private struct Entry {
        let token: [UInt8]
        let hash: Int
        let principal: Principal
        let validity: Validity
        var wasUsed = false
    }

    private struct State {
        let capacity: Int
        /// nil: the slot was emptied and is on ``free``.
        var slots: [Entry?] = []
        var free: [Int] = []
        var slotOfHash: [Int: Int] = [:]
        var hand = 0
        var statistics = TokenCacheStatistics()

        init(capacity: Int) { self.capacity = capacity }

        mutating func find(_ token: UnsafeRawBufferPointer, _ hash: Int, _ now: Int64) -> Principal? {
            guard let slot = slotOfHash[hash], let entry = slots[slot],
                entry.token.withUnsafeBytes({ isEqual($0, token) })
            else {
                statistics.misses &+= 1
                return nil
            }
            guard (try? entry.validity.check(at: now)) != nil else {
                remove(slot)
                statistics.misses &+= 1
                return nil
            }
            slots[slot]?.wasUsed = true
            statistics.hits &+= 1
            return entry.principal
        }

        mutating func insert(_ entry: Entry) {
            guard capacity > 0 else { return }
            if let slot = slotOfHash[entry.hash] { remove(slot) }
            let slot = freeSlot()
            slots[slot] = entry
            slotOfHash[entry.hash] = slot
            statistics.entries += 1
        }

        private mutating func freeSlot() -> Int {
            if let slot = free.popLast() { return slot }
            if slots.count < capacity {
                slots.append(nil)
                return slots.count - 1
            }
            while slots[hand]?.wasUsed == true {
                slots[hand]?.wasUsed = false
                hand = (hand + 1) % capacity
            }
            let slot = hand
            hand = (hand + 1) % capacity
            remove(slot)
            statistics.evictions &+= 1
            return free.popLast() ?? slot
        }

        private mutating func remove(_ slot: Int) {
            guard let entry = slots[slot] else { return }
            slots[slot] = nil
            slotOfHash[entry.hash] = nil
            free.append(slot)
            statistics.entries -= 1
        }
    }
}

/// Whether both hold the same bytes, in time that depends on their length only.
private func isEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard one.count == other.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<one.count { difference |= one[index] ^ other[index] }
    return difference == 0
}

import ApusPostgres
import Synchronization

/// Remembers whose a verified token is, so that the common request costs one hash and one comparison.
///
/// Bounded: a new entry takes the place of one that was not asked for lately (second chance: a hand goes round the
/// slots, spares once what was used since it last came by, and takes the first that was not). Found by hash, decided
/// by comparing every byte of the token: two tokens with one hash are two tokens.
final class PrincipalCache: Sendable {
    private let state: Mutex<State>
    private let trust: TokenTrust?

    /// - Parameters:
    ///   - capacity: entries; 0 remembers nothing.
    ///   - trust: what is forgotten when sessions end and keys go.
    init(capacity: Int, trust: TokenTrust? = nil) {
        self.trust = trust
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
        state.withLock { state in
            if let trust, trust.version != state.position.version { state.follow(trust) }
            return state.find(token, hash, now)
        }
    }

    /// - Parameter session: the session that the token belongs to, by whose end it is forgotten.
    func insert(
        _ principal: Principal, for token: UnsafeRawBufferPointer, hash: Int, validity: Validity,
        session: String? = nil
    ) {
        let entry = Entry(
            token: Array(token), hash: hash, principal: principal, validity: validity, session: session)
        state.withLock { state in
            // Asked again here: a session that ends before this is found now, one that ends after it by `follow`.
            if let session, trust?.hasEnded(session: session) == true { return }
            state.insert(entry)
        }
    }

    var statistics: TokenCacheStatistics { state.withLock { $0.statistics } }

    // MARK: - Non public

    private struct Entry {
        let token: [UInt8]
        let hash: Int
        let principal: Principal
        let validity: Validity
        let session: String?
        var wasUsed = false
    }

    private struct State {
        let capacity: Int
        /// nil: the slot was emptied and is on ``free``.
        var slots: [Entry?] = []
        var free: [Int] = []
        var slotOfHash: [Int: Int] = [:]
        var slotsOfSession: [String: Set<Int>] = [:]
        var position = TokenTrust.Position()
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
            if let session = entry.session { slotsOfSession[session, default: []].insert(slot) }
            statistics.entries += 1
        }

        /// Drops what no longer holds.
        mutating func follow(_ trust: TokenTrust) {
            switch trust.changes(since: &position) {
            case .everything: for slot in slots.indices { remove(slot) }
            case .sessions(let ended):
                for session in ended {
                    for slot in slotsOfSession[session] ?? [] { remove(slot) }
                }
            }
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
            if let session = entry.session {
                slotsOfSession[session]?.remove(slot)
                if slotsOfSession[session]?.isEmpty == true { slotsOfSession[session] = nil }
            }
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

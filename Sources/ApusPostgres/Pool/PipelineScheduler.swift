import DequeModule

/// Decides which connection a round trip is sent on.
///
/// Pure: it knows connections as numbered slots and time as a parameter. Three wishes, in this order:
/// a slow statement holds no fast ones; few backends are awake, because a backend that is kept busy answers
/// in batches and costs no wake-ups; nobody waits while a connection idles.
///
/// So a trip joins a connection that is busy as long as the work ahead of it is short, by what its
/// statements took lately and by how long the running one has been at it; then wakes an idle one; then asks
/// for another; and else waits, for a place that is taken late is taken well. A
/// statement of which nothing is known counts as slow: it may take a minute.
struct PipelineScheduler {
    /// Durations in nanoseconds.
    struct Limits {
        /// The most trips in flight on a connection.
        var depth: Int
        /// The most work ahead of a trip that joins, beyond the way there and back.
        var work: Int64 = 1_000_000
        /// How long the running trip may exceed its estimate before nobody joins any more.
        var patience: Int64 = 2_000_000
        /// From here on a text counts as slow.
        var slow: Int64 = 10_000_000
    }

    enum Decision: Equatable {
        case send(slot: Int)
        /// Wait, and open a connection in this slot meanwhile.
        case open(slot: Int)
        case wait
    }

    private enum Phase: Equatable {
        case absent
        case connecting
        case shared
        /// Promised to a session: takes no more trips.
        case draining
        case exclusive
    }

    private struct Slot {
        var phase = Phase.absent
        /// The estimates of what is in flight, nil where there is none.
        var ahead: Deque<Int64?> = []
        var work: Int64 = 0
        var slowAhead = 0
        var headSince = MonotonicTime(nanoseconds: 0)
        /// A cancel request is on its way: nothing new may be sent, it could be hit.
        var isHeld = false

        /// Connected, shared, not held.
        var takesTrips: Bool { phase == .shared && !isHeld }
    }

    /// The shortest way there and back that was seen, in nanoseconds.
    private(set) var roundTrip: Int64 = 0
    private var slots: [Slot]
    private let limits: Limits

    init(connections: Int, limits: Limits) {
        slots = Array(repeating: Slot(), count: max(1, connections))
        self.limits = limits
    }

    /// Whether a trip is placed carefully; nil when nothing is known of it.
    func isSlow(_ estimate: Int64?) -> Bool { (estimate ?? .max) > limits.slow }

    // MARK: - Deciding

    /// Where a trip with this estimate goes. `mayOpen`: whether a connection attempt may start now.
    func place(estimate: Int64?, now: MonotonicTime, mayOpen: Bool) -> Decision {
        isSlow(estimate) ? placeSlow(mayOpen: mayOpen, now: now) : placeQuick(mayOpen: mayOpen, now: now)
    }

    /// Which connection a session gets: an idle one, to be taken with ``checkOut(_:)``; or one that is asked
    /// to drain, by ``drain()``. One connection is always left for trips, if there are two.
    func placeSession(mayOpen: Bool) -> Decision {
        guard mayCheckOut else { return .wait }
        if let idle = slots.firstIndex(where: { $0.takesTrips && $0.ahead.isEmpty }) {
            return .send(slot: idle)
        }
        if let drained = slots.firstIndex(where: { $0.phase == .draining && $0.ahead.isEmpty && !$0.isHeld })
        {
            return .send(slot: drained)
        }
        return openOrWait(mayOpen)
    }

    /// Promises the connection with the least work to a session, so that a steady flow of trips cannot keep
    /// sessions waiting. `sessions` is the number that wait.
    mutating func drain(forSessions sessions: Int) {
        let coming = slots.count { $0.phase == .draining || $0.phase == .connecting }
        guard sessions > coming, mayCheckOut else { return }
        let candidate = slots.indices.filter { slots[$0].takesTrips }.min { slots[$0].work < slots[$1].work }
        if let candidate { slots[candidate].phase = .draining }
    }

    /// Nobody waits for a session any more.
    mutating func cancelDraining() {
        for index in slots.indices where slots[index].phase == .draining { slots[index].phase = .shared }
    }

    /// A slot to open when there is no connection at all.
    var slotToOpenFirst: Int? { slots.allSatisfy { $0.phase == .absent } ? 0 : nil }

    // MARK: - What happened

    mutating func connecting(_ slot: Int) { slots[slot].phase = .connecting }

    mutating func connected(_ slot: Int, roundTrip: Int64) {
        // The first one may have reached another server than those before it.
        let isFirst = slots.allSatisfy { $0.phase == .absent || $0.phase == .connecting }
        self.roundTrip = isFirst ? roundTrip : min(self.roundTrip, roundTrip)
        slots[slot] = Slot(phase: .shared)
    }

    /// A trip took this long; the way there and back cannot take longer.
    mutating func measured(roundTrip: Int64) {
        if roundTrip < self.roundTrip { self.roundTrip = roundTrip }
    }

    mutating func lost(_ slot: Int) { slots[slot] = Slot() }

    mutating func sent(_ slot: Int, estimate: Int64?, now: MonotonicTime) {
        if slots[slot].ahead.isEmpty { slots[slot].headSince = now }
        slots[slot].ahead.append(estimate)
        slots[slot].work += estimate ?? 0
        if isSlow(estimate) { slots[slot].slowAhead += 1 }
    }

    /// The head of the slot was answered.
    mutating func answered(_ slot: Int, now: MonotonicTime) {
        guard let estimate = slots[slot].ahead.popFirst() else { return }
        slots[slot].work -= estimate ?? 0
        if isSlow(estimate) { slots[slot].slowAhead -= 1 }
        slots[slot].headSince = now
    }

    mutating func hold(_ slot: Int) { slots[slot].isHeld = true }
    mutating func unhold(_ slot: Int) { slots[slot].isHeld = false }
    mutating func checkOut(_ slot: Int) { slots[slot].phase = .exclusive }
    mutating func checkIn(_ slot: Int) { slots[slot].phase = .shared }

    // MARK: - Non public

    private func placeQuick(mayOpen: Bool, now: MonotonicTime) -> Decision {
        var best: Int?
        var idle: Int?
        for index in slots.indices where slots[index].takesTrips {
            if slots[index].ahead.isEmpty {
                if idle == nil { idle = index }
            } else if isQuick(slots[index], now: now),
                slots[index].work < best.map({ slots[$0].work }) ?? .max
            {
                best = index
            }
        }
        if let slot = best ?? idle { return .send(slot: slot) }
        return openOrWait(mayOpen)
    }

    /// Whether a trip that joins would be answered soon.
    private func isQuick(_ slot: Slot, now: MonotonicTime) -> Bool {
        slot.ahead.count < limits.depth && slot.slowAhead == 0
            && slot.work <= limits.work + roundTrip
            && now - slot.headSince <= (slot.ahead[0] ?? 0) + roundTrip + limits.patience
    }

    private func placeSlow(mayOpen: Bool, now: MonotonicTime) -> Decision {
        // All but one: quick trips keep a connection.
        let slowConnections = slots.count { $0.slowAhead > 0 }
        guard slowConnections < max(1, slots.count - 1) else { return .wait }
        if let idle = slots.firstIndex(where: { $0.takesTrips && $0.ahead.isEmpty }) {
            return .send(slot: idle)
        }
        if slots.contains(where: { $0.phase == .absent || $0.phase == .connecting }) {
            let decision = openOrWait(mayOpen)
            if decision != .wait || slots.contains(where: { $0.phase == .connecting }) { return decision }
        }
        let candidate = slots.indices.filter { slots[$0].takesTrips && isQuick(slots[$0], now: now) }
            .min { slots[$0].work < slots[$1].work }
        return candidate.map { .send(slot: $0) } ?? .wait
    }

    private func openOrWait(_ mayOpen: Bool) -> Decision {
        guard mayOpen, let absent = slots.firstIndex(where: { $0.phase == .absent }) else { return .wait }
        return .open(slot: absent)
    }

    /// One connection stays for trips, if there are two.
    private var mayCheckOut: Bool {
        slots.count { $0.phase == .exclusive } < max(1, slots.count - 1)
    }
}

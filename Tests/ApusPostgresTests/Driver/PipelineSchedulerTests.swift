import Testing

@testable import ApusPostgres

@Suite struct PipelineSchedulerTests {
    private static let millisecond: Int64 = 1_000_000
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    /// All slots connected, with a way there and back of 50 µs.
    private func connected(_ count: Int, depth: Int = 16) -> PipelineScheduler {
        var scheduler = PipelineScheduler(connections: count, limits: .init(depth: depth))
        for slot in 0..<count {
            scheduler.connecting(slot)
            scheduler.connected(slot, roundTrip: 50_000)
        }
        return scheduler
    }

    private func place(
        _ scheduler: PipelineScheduler, _ estimate: Int64, after: Int64 = 0
    )
        -> PipelineScheduler.Decision
    {
        scheduler.place(estimate: estimate, now: start + after, mayOpen: true)
    }

    @Test func quickTripsShareOneConnectionUpToItsDepth() {
        var scheduler = connected(3, depth: 4)
        var placed: [PipelineScheduler.Decision] = []
        for _ in 0..<6 {
            let decision = place(scheduler, 20_000)
            placed.append(decision)
            if case .send(let slot) = decision { scheduler.sent(slot, estimate: 20_000, now: start) }
        }
        #expect(placed == [0, 0, 0, 0, 1, 1].map { .send(slot: $0) })
    }

    @Test func manyShortOnesThatAddUpWakeAnotherConnection() {
        var scheduler = connected(2)
        for _ in 0..<3 { scheduler.sent(0, estimate: 500_000, now: start) }
        #expect(place(scheduler, 20_000) == .send(slot: 1))
    }

    @Test func nobodyJoinsATripThatTakesLongerThanExpected() {
        var scheduler = connected(2)
        scheduler.sent(0, estimate: 20_000, now: start)
        #expect(place(scheduler, 20_000, after: Self.millisecond) == .send(slot: 0))
        #expect(place(scheduler, 20_000, after: 3 * Self.millisecond) == .send(slot: 1))
        scheduler.sent(1, estimate: 20_000, now: start + 3 * Self.millisecond)
        #expect(place(scheduler, 20_000, after: 6 * Self.millisecond) == .wait)
        scheduler.answered(0, now: start + 7 * Self.millisecond)
        #expect(place(scheduler, 20_000, after: 7 * Self.millisecond) == .send(slot: 0))
    }

    @Test func aTextThatWasNotMeasuredYetCountsAsSlow() {
        var scheduler = connected(2)
        scheduler.sent(0, estimate: 20_000, now: start)
        #expect(scheduler.place(estimate: nil, now: start, mayOpen: true) == .send(slot: 1))
        scheduler.sent(1, estimate: nil, now: start)
        scheduler.answered(0, now: start)
        #expect(place(scheduler, 20_000) == .send(slot: 0))
        #expect(scheduler.place(estimate: nil, now: start, mayOpen: true) == .wait)
        scheduler.answered(1, now: start)
        scheduler.sent(1, estimate: 20_000, now: start)
        #expect(place(scheduler, 20_000) == .send(slot: 1))
    }

    @Test func theShortestWayCounts() {
        var scheduler = connected(2)
        scheduler.measured(roundTrip: 80_000)
        #expect(scheduler.roundTrip == 50_000)
        scheduler.measured(roundTrip: 30_000)
        #expect(scheduler.roundTrip == 30_000)
        // Another server may be further away.
        scheduler.lost(0)
        scheduler.lost(1)
        scheduler.connected(1, roundTrip: 90_000)
        #expect(scheduler.roundTrip == 90_000)
    }

    @Test func aLongWayToTheServerIsNoSlowness() {
        var scheduler = PipelineScheduler(connections: 1, limits: .init(depth: 16))
        scheduler.connected(0, roundTrip: 30 * Self.millisecond)
        scheduler.sent(0, estimate: 20_000, now: start)
        #expect(place(scheduler, 20_000, after: 25 * Self.millisecond) == .send(slot: 0))
    }

    @Test func aSlowTextGetsAConnectionOfItsOwnAndNobodyJoins() {
        var scheduler = connected(3)
        scheduler.sent(0, estimate: 20_000, now: start)
        let slow = 50 * Self.millisecond
        #expect(place(scheduler, slow) == .send(slot: 1))
        scheduler.sent(1, estimate: slow, now: start)
        scheduler.answered(0, now: start)
        #expect(place(scheduler, 20_000) == .send(slot: 0))
    }

    @Test func slowTextsLeaveOneConnectionForQuickOnes() {
        var scheduler = connected(3)
        let slow = 50 * Self.millisecond
        scheduler.sent(0, estimate: slow, now: start)
        scheduler.sent(1, estimate: slow, now: start)
        #expect(place(scheduler, slow) == .wait)
        #expect(place(scheduler, 20_000) == .send(slot: 2))
    }

    @Test func opensWhenAllAreBusyAndOnlyWhenItMay() {
        var scheduler = PipelineScheduler(connections: 2, limits: .init(depth: 1))
        #expect(scheduler.slotToOpenFirst == 0)
        scheduler.connecting(0)
        scheduler.connected(0, roundTrip: 0)
        scheduler.sent(0, estimate: 20_000, now: start)
        #expect(place(scheduler, 20_000) == .open(slot: 1))
        #expect(scheduler.place(estimate: 20_000, now: start, mayOpen: false) == .wait)
        scheduler.connecting(1)
        #expect(place(scheduler, 20_000) == .wait)
    }

    @Test func aHeldConnectionTakesNothing() {
        var scheduler = connected(1)
        scheduler.hold(0)
        #expect(place(scheduler, 20_000) == .wait)
        scheduler.unhold(0)
        #expect(place(scheduler, 20_000) == .send(slot: 0))
    }

    @Test func aSessionTakesAnIdleConnectionAndLeavesOne() {
        var scheduler = connected(2)
        #expect(scheduler.placeSession(mayOpen: true) == .send(slot: 0))
        scheduler.checkOut(0)
        #expect(scheduler.placeSession(mayOpen: true) == .wait)
        #expect(place(scheduler, 20_000) == .send(slot: 1))
        scheduler.checkIn(0)
        #expect(scheduler.placeSession(mayOpen: true) == .send(slot: 0))
    }

    @Test func aBusyConnectionIsDrainedForASession() {
        var scheduler = connected(2)
        scheduler.sent(0, estimate: 40_000, now: start)
        scheduler.sent(1, estimate: 20_000, now: start)
        #expect(scheduler.placeSession(mayOpen: true) == .wait)
        scheduler.drain(forSessions: 1)
        scheduler.drain(forSessions: 1)
        // The one with less to do is promised, and takes no more trips.
        #expect(place(scheduler, 20_000) == .send(slot: 0))
        scheduler.answered(1, now: start)
        #expect(scheduler.placeSession(mayOpen: true) == .send(slot: 1))
    }

    @Test func aLostConnectionLeavesNothingBehind() {
        var scheduler = connected(1)
        scheduler.sent(0, estimate: 50 * Self.millisecond, now: start)
        scheduler.hold(0)
        scheduler.lost(0)
        #expect(place(scheduler, 20_000) == .open(slot: 0))
        scheduler.connected(0, roundTrip: 0)
        #expect(place(scheduler, 20_000) == .send(slot: 0))
    }
}

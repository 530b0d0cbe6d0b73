import ApusPostgres
import Logging
import Synchronization

/// Delivers the messages of one channel, some at once.
final class ChannelWorker: Sendable {
    private struct State {
        /// What is being delivered.
        var claimed: Set<String> = []
        /// Failures in a row to reach whoever delivers.
        var refusals = 0
        /// Nothing is claimed before.
        var pausedUntil: ContinuousClock.Instant?
    }

    private let channel: Message.Channel
    private let queue: MessageQueue
    private let database: Database
    private let deliver: MessageWorker.Deliver
    private let slots: Int
    private let lease: Int
    private let schedule: RetrySchedule
    private let logger: Logger
    private let state = Mutex(State())
    private let wakes: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    init(
        channel: Message.Channel, queue: MessageQueue, database: Database,
        deliver: @escaping MessageWorker.Deliver, slots: Int, lease: Int, schedule: RetrySchedule,
        logger: Logger
    ) {
        self.channel = channel
        self.queue = queue
        self.database = database
        self.deliver = deliver
        self.slots = slots
        self.lease = lease
        self.schedule = schedule
        self.logger = logger
        // One is as good as many: whoever wakes looks at everything.
        (wakes, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Says that there may be something to do.
    func wake() { wakeUp.yield() }

    /// Delivers until cancelled.
    func run() async {
        wake()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.renewLeases() }
            var alarm: Task<Void, Never>?
            for await _ in wakes {
                alarm?.cancel()
                while let claim = await next() {
                    for claim in claim { group.addTask { await self.settle(claim) } }
                }
                alarm = await setAlarm()
            }
            alarm?.cancel()
            group.cancelAll()
        }
    }

    // MARK: - Taking

    /// The next messages; nil when there are none, no slot is free, or whoever delivers is away.
    private func next() async -> [MessageQueue.Claim]? {
        let free = state.withLock { state in
            if let until = state.pausedUntil, ContinuousClock.now < until { return 0 }
            // One message tries whether it works again.
            return state.refusals > 0 ? (state.claimed.isEmpty ? 1 : 0) : slots - state.claimed.count
        }
        guard free > 0, !Task.isCancelled else { return nil }
        do {
            let claims = try await queue.claim(free, of: channel, lease: lease, in: database)
            state.withLock { $0.claimed.formUnion(claims.map(\.id)) }
            return claims.isEmpty ? nil : claims
        } catch {
            // The database is away: the driver says so, and the alarm looks again.
            return nil
        }
    }

    /// Wakes when the next message is due.
    private func setAlarm() async -> Task<Void, Never> {
        let (isBusy, pausedUntil) = state.withLock {
            ($0.refusals > 0 ? !$0.claimed.isEmpty : $0.claimed.count >= slots, $0.pausedUntil)
        }
        // A slot that gets free wakes, too.
        var pause = Duration.seconds(60)
        if !isBusy {
            do {
                let next = try await queue.untilNext(of: channel, in: database)
                if let next { pause = min(pause, .milliseconds(max(20, next))) }
            } catch {
                pause = .seconds(2)
            }
        }
        if let pausedUntil { pause = max(pause, pausedUntil - .now) }
        return Task { [pause] in
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            wake()
        }
    }

    private func renewLeases() async {
        while (try? await Task.sleep(for: .seconds(Double(lease) / 3))) != nil {
            let ids = state.withLock { Array($0.claimed) }
            if !ids.isEmpty { try? await queue.renew(ids, lease: lease, in: database) }
        }
    }

    // MARK: - Delivering

    private func settle(_ claim: MessageQueue.Claim) async {
        let failure = await attempt(claim)
        let pause = note(failure)
        do {
            switch failure?.kind {
            case nil: try await queue.delivered(claim, in: database)
            case .permanent: try await queue.giveUp(claim, reason: failure?.reason ?? "", in: database)
            case .passing:
                try await queue.postpone(
                    claim, seconds: schedule.pause(afterAttempt: claim.attempt),
                    reason: failure?.reason ?? "", in: database)
            case .unreachable:
                try await queue.postpone(
                    claim, seconds: pause, reason: failure?.reason ?? "", in: database)
            }
        } catch {
            // Unsettled: it is delivered once more when the lease has ended.
            logger.warning("a message could not be settled", metadata: ["message": "\(claim.id)"])
        }
        state.withLock { _ = $0.claimed.remove(claim.id) }
        log(claim, failure)
        wake()
    }

    private func attempt(_ claim: MessageQueue.Claim) async -> DeliveryFailure? {
        guard let message = claim.message else {
            return .permanent("its content cannot be opened: it was sealed with another key")
        }
        if claim.isExpired { return .permanent("it could not be delivered before it expired") }
        do throws(DeliveryFailure) {
            try await deliver(message)
            return nil
        } catch {
            return error
        }
    }

    /// Remembers whether whoever delivers is there, and returns the seconds until it is tried again.
    private func note(_ failure: DeliveryFailure?) -> Double {
        state.withLock { state in
            guard failure?.kind == .unreachable else {
                (state.refusals, state.pausedUntil) = (0, nil)
                return 0
            }
            // Messages that were under way together fail together, and count once.
            if let until = state.pausedUntil, until > .now { return until.secondsFromNow }
            state.refusals += 1
            let pause = min(60, schedule.pause(afterAttempt: state.refusals))
            state.pausedUntil = .now + .seconds(pause)
            return pause
        }
    }

    private func log(_ claim: MessageQueue.Claim, _ failure: DeliveryFailure?) {
        var metadata: Logger.Metadata = [
            "message": "\(claim.id)", "channel": "\(channel.rawValue)", "attempt": "\(claim.attempt)",
        ]
        if let kind = claim.message?.kind { metadata["kind"] = "\(kind.rawValue)" }
        guard let failure else {
            logger.debug("delivered a message", metadata: metadata)
            return
        }
        metadata["reason"] = "\(failure.reason)"
        switch failure.kind {
        case .permanent: logger.error("a message cannot be delivered", metadata: metadata)
        case .passing: logger.warning("a message is tried again later", metadata: metadata)
        case .unreachable: logger.warning("messages wait until they can be sent", metadata: metadata)
        }
    }
}

extension ContinuousClock.Instant {
    fileprivate var secondsFromNow: Double { max(0, (self - .now) / .seconds(1)) }
}

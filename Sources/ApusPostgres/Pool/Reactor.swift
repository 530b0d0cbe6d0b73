import ApusSQL
import Logging

/// The one thread that owns the sockets.
///
/// It takes commands from the mailbox in batches, sends what they ask for with one flush for each
/// connection, reads all answers that are there, and calls the completions last, when the server is busy
/// with the next trips already. It decides nothing itself: ``PipelineScheduler`` says where a trip goes,
/// ``PipelineLedger`` what an answer means.
///
/// Made on its thread, and used nowhere else.
final class Reactor {
    let configuration: DatabaseConfiguration
    let mailbox: Mailbox
    let board: StatisticsBoard
    let logger: Logger
    let connector: Connector
    let sessionSettings: SessionSettings

    var poller: Poller
    var now = MonotonicTime.now()
    var statistics = PoolStatistics()

    // MARK: - Connections

    var connections: [PooledConnection?]
    var scheduler: PipelineScheduler
    var backoff = JitteredBackoff()
    var mayConnectAt = MonotonicTime(nanoseconds: 0)
    var lastConnectFailure: String?
    var roles: [String: Int] = [:]
    var lastRole = 0
    /// Connections with something to flush.
    var touched: [PooledConnection] = []
    /// So many writes will have a transaction of their own.
    var writesAlone = 0

    // MARK: - Work

    var quickLine = WaitingLine()
    var slowLine = WaitingLine()
    var sessionLine = WaitingLine()
    var sessions: [SessionID: PooledConnection] = [:]
    var listeners: [ObjectIdentifier: ListenerState] = [:]
    var listenerTokens: [UInt64: ObjectIdentifier] = [:]
    var lastListenerToken = UInt64(1) << 32

    // MARK: - Time and end

    /// No deadline lies before it.
    var wakesAt = MonotonicTime.never
    var stopsAt: MonotonicTime?

    private var finished: [Submission] = []
    private var delivering: [Submission] = []
    /// Those with something to hand over.
    private var lanes: [Lane] = []

    init(
        configuration: DatabaseConfiguration, mailbox: Mailbox, board: StatisticsBoard, logger: Logger
    ) throws(WireFailure) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.board = board
        self.logger = logger
        connector = Connector(
            connectionString: configuration.connectionString,
            sessionParameters: configuration.sessionParameters, patience: configuration.connectTimeout,
            logger: logger)
        sessionSettings = SessionSettings(configuration.sessionParameters)
        let count = max(1, configuration.connections)
        connections = Array(repeating: nil, count: count)
        scheduler = PipelineScheduler(
            connections: count, limits: .init(depth: max(1, configuration.pipelineDepth)))
        poller = try Poller()
        if let descriptor = mailbox.descriptor { poller.add(descriptor, token: 0) }
    }

    /// Runs until it was told to stop and is done, or until its time is over.
    func run() {
        var batch: [ReactorCommand] = []
        var turns = 0
        while true {
            mailbox.take(into: &batch)
            now = .now()
            for command in batch { perform(command) }
            dispatch()
            flushTouched()
            let delivered = deliver()
            if mayEnd { break }
            let isIdle = batch.isEmpty && !delivered
            turns &+= 1
            // Under load it may never be idle.
            if isIdle || turns & 63 == 0 { showStatistics() }
            poller.wait(milliseconds: isIdle && mailbox.fallAsleep() ? millisecondsToWait() : 0)
            now = .now()
            handleEvents()
            if now >= wakesAt { lookAtDeadlines() }
        }
        terminate()
    }

    // MARK: - Answering

    /// Answers the caller, once; the completion runs at the end of this turn.
    func answer(_ submission: Submission, _ result: Result<[Rows], PostgresFault>) {
        guard !submission.isAnswered else { return }
        submission.isAnswered = true
        if submission.isHousekeeping { return }
        switch result {
        case .success: statistics.completed += 1
        case .failure: statistics.failed += 1
        }
        submission.result = result
        if let lane = submission.lane {
            if lane.answered.isEmpty { lanes.append(lane) }
            lane.answered.append(submission)
        } else {
            finished.append(submission)
        }
    }

    /// Notes that something has to be looked at then.
    func wake(at time: MonotonicTime) { if time < wakesAt { wakesAt = time } }

    // MARK: - Non public

    private func perform(_ command: ReactorCommand) {
        switch command {
        case .submit(let submission): accept(submission)
        case .withdraw(let submission): withdraw(submission, .cancelled)
        case .release(let session): release(session)
        case .connected(let slot, let result): connected(slot, result)
        case .cancelReturned(let slot, let connection): cancelReturned(slot, connection)
        case .listen(let listener): listen(listener)
        case .unlisten(let listener): unlisten(listener)
        case .listenerConnected(let listener, let result): listenerConnected(listener, result)
        case .stop: beginStopping()
        }
    }

    private func handleEvents() {
        for event in poller.events {
            if event.token == 0 {
                mailbox.resetWakeUp()
            } else if let listener = listenerTokens[event.token] {
                hear(listener)
            } else if let connection = connection(withToken: event.token) {
                if event.isWritable { flush(connection) }
                // Flushing may have found the connection dead.
                if event.isReadable, connections[connection.slot] === connection { readAnswers(connection) }
            }
        }
    }

    private func connection(withToken token: UInt64) -> PooledConnection? {
        token <= UInt64(connections.count) ? connections[Int(token) - 1] : nil
    }

    /// Calls the completions. They run on this thread and may submit again.
    private func deliver() -> Bool {
        if finished.isEmpty, lanes.isEmpty { return false }
        for lane in lanes { lane.deliver() }
        lanes.removeAll(keepingCapacity: true)
        swap(&finished, &delivering)
        for submission in delivering { submission.complete() }
        delivering.removeAll(keepingCapacity: true)
        return true
    }

    /// Rounded up, so that a deadline has passed when the wait ends.
    private func millisecondsToWait() -> Int32 {
        if wakesAt == .never { return -1 }
        return max(0, Int32(clamping: (wakesAt - now) / 1_000_000 + 1))
    }

    private func showStatistics() {
        let usable = connections.compactMap { $0 }
        statistics.open = usable.count
        statistics.exclusive = usable.count { $0.isCheckedOut }
        statistics.inUse = usable.count { !$0.inFlight.isEmpty || $0.isCheckedOut }
        statistics.idle = statistics.open - statistics.inUse
        statistics.inFlight = usable.reduce(0) { $0 + $1.inFlight.count }
        statistics.waiting = quickLine.count + slowLine.count + sessionLine.count
        board.show(statistics)
    }

    // MARK: - The end

    private func beginStopping() {
        guard stopsAt == nil else { return }
        let end = now + configuration.shutdownTimeout.inNanoseconds
        stopsAt = end
        wake(at: end)
        for listener in listeners.values { unlisten(listener.listener) }
    }

    private var mayEnd: Bool {
        guard let stopsAt else { return false }
        if now >= stopsAt { return true }
        return quickLine.count + slowLine.count + sessionLine.count == 0 && sessions.isEmpty
            && connections.allSatisfy { $0?.inFlight.isEmpty ?? true }
    }

    /// Nobody may be left waiting: what is here, in flight and still in the mailbox is answered.
    private func terminate() {
        let fault = PostgresFault(.shutdown, "The database driver has been stopped.")
        for submission in quickLine.waiting + slowLine.waiting + sessionLine.waiting {
            answer(submission, .failure(fault))
        }
        for connection in connections.compactMap({ $0 }) { abandon(connection, because: fault) }
        for listener in listeners.values { unlisten(listener.listener) }
        for command in mailbox.close() {
            switch command {
            case .submit(let submission): answer(submission, .failure(fault))
            case .listen(let listener): listener.finish()
            default: break
            }
        }
        _ = deliver()
        showStatistics()
    }
}

/// What other threads ask of the reactor.
enum ReactorCommand: Sendable {
    case submit(Submission)
    case withdraw(Submission)
    /// The session is over; its connection goes back to the pool.
    case release(SessionID)
    case connected(slot: Int, Result<WireConnection, Connector.Failure>)
    case cancelReturned(slot: Int, connection: ObjectIdentifier)
    case listen(Listener)
    case unlisten(Listener)
    case listenerConnected(Listener, Result<WireConnection, Connector.Failure>)
    /// Take no more work, and end when what is there is done.
    case stop
}

/// The way into the reactor: commands under one lock, taken in batches, with a wake-up only when it sleeps.
final class Mailbox: Sendable {
    private struct Content {
        var commands: [ReactorCommand] = []
        var isAsleep = false
        var isStopping = false
        var isClosed = false
    }

    private let content: Locked<Content>
    private let wakeUp: WakeUp?

    /// Closed from the start when the system has no descriptor to give.
    init() {
        wakeUp = try? WakeUp()
        content = Locked(Content(isClosed: wakeUp == nil))
    }

    /// What the reactor's poller watches; nil when closed from the start.
    var descriptor: Int32? { wakeUp?.readable }

    // MARK: - Any thread

    /// False when the reactor has ended, or is stopping and this is new work; the command then goes nowhere.
    @discardableResult
    func post(_ command: ReactorCommand, isNewWork: Bool = false) -> Bool {
        let (isTaken, wakes) = content.withLock { content in
            if content.isClosed || (isNewWork && content.isStopping) { return (false, false) }
            if case .stop = command { content.isStopping = true }
            content.commands.append(command)
            let wakes = content.isAsleep
            content.isAsleep = false
            return (true, wakes)
        }
        if wakes { wakeUp?.signal() }
        return isTaken
    }

    /// Many at once; false when they go nowhere, because the reactor has ended or is stopping.
    func post(newWork commands: [ReactorCommand]) -> Bool {
        let (isTaken, wakes) = content.withLock { content in
            if content.isClosed || content.isStopping { return (false, false) }
            content.commands.append(contentsOf: commands)
            let wakes = content.isAsleep
            content.isAsleep = false
            return (true, wakes)
        }
        if wakes { wakeUp?.signal() }
        return isTaken
    }

    // MARK: - The reactor's thread

    /// Takes all commands, leaving `batch`'s memory (emptied) for the next ones.
    func take(into batch: inout [ReactorCommand]) {
        batch.removeAll(keepingCapacity: true)
        content.withLock {
            $0.isAsleep = false
            swap(&$0.commands, &batch)
        }
    }

    /// Whether the reactor may wait: true only when no command is there; from then on a post wakes it.
    func fallAsleep() -> Bool {
        content.withLock {
            $0.isAsleep = $0.commands.isEmpty
            return $0.isAsleep
        }
    }

    func resetWakeUp() { wakeUp?.reset() }

    /// Refuses everything from now on, and hands out what was not taken.
    func close() -> [ReactorCommand] {
        content.withLock { content in
            content.isClosed = true
            defer { content.commands = [] }
            return content.commands
        }
    }
}

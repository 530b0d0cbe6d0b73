import ApusPostgres
import Logging

extension RedisFeedRelay {
    /// Fills the feed's log with what another node publishes, until the task is cancelled.
    ///
    /// - Parameter confirmed: from where on the feed is known to be complete when nothing has been published yet.
    /// - Throws: when Redis is lost.
    func follow(_ feed: ChangeFeed, epoch: UInt64, confirmed: LSN) async throws {
        let stream = try await connect(epoch: epoch)
        defer { stream.connection.close() }
        let announced = Locked<RedisFeedStream.Progress?>(nil)
        let apply: @Sendable () -> Void = {
            guard let progress = announced.withLock({ $0 }), let head = feed.log.head, head.epoch == epoch,
                progress.last.map({ $0 <= RedisFeedStream.ID(head) }) ?? true
            else { return }
            feed.log.advance(to: progress.caughtUp)
        }
        let listening = bus.subscribe(Self.progressTopic(epoch)) { event in
            guard case .message(let bytes) = event,
                let progress = RedisFeedStream.Progress(String(decoding: bytes, as: UTF8.self))
            else { return }
            announced.withLock { $0 = progress }
            apply()
        }
        defer { withExtendedLifetime(listening) {} }
        feed.asks { [bus] in bus.publish(Self.askTopic, []) }
        defer { feed.asks(nil) }
        var known: [UInt32: FeedRelation] = [:]
        try await take(stream, feed, confirmed, &known)
        if let progress = try await stream.progress() {
            announced.withLock { if $0 == nil { $0 = progress } }
        }
        apply()
        feed.become(.running(isReader: false))
        while !Task.isCancelled {
            try await read(stream, feed, waiting: 1_000, &known)
            apply()
        }
    }

    /// Takes what is there before this node reads the slot itself.
    ///
    /// - Returns: whether the log then holds all that was confirmed, as far as it reaches back.
    func catchUp(_ feed: ChangeFeed, epoch: UInt64, confirmed: LSN) async -> Bool {
        do {
            let stream = try await connect(epoch: epoch)
            defer { stream.connection.close() }
            let progress = try await stream.progress()
            var known: [UInt32: FeedRelation] = [:]
            try await take(stream, feed, confirmed, &known)
            guard let progress, progress.caughtUp >= confirmed, let head = feed.log.head, head.epoch == epoch,
                progress.last.map({ $0 <= RedisFeedStream.ID(head) }) ?? true
            else { return false }
            feed.log.advance(to: progress.caughtUp)
            return true
        } catch {
            return false
        }
    }

    // MARK: - Non public

    /// Brings the log to the end of the stream; a log of another epoch starts where the stream does.
    private func take(
        _ stream: RedisFeedStream, _ feed: ChangeFeed, _ confirmed: LSN, _ known: inout [UInt32: FeedRelation]
    ) async throws {
        if feed.log.start?.epoch != stream.epoch {
            let first = try await stream.read(after: nil, waiting: nil).first
            let start = try first.map { try FeedCoding.decode($0, known: &known).previous }
            feed.log.restart(at: start ?? .end(epoch: stream.epoch, lsn: confirmed))
        }
        while try await read(stream, feed, waiting: nil, &known) {}
    }

    /// Appends what comes next; false when nothing came.
    @discardableResult
    private func read(
        _ stream: RedisFeedStream, _ feed: ChangeFeed, waiting milliseconds: Int?,
        _ known: inout [UInt32: FeedRelation]
    ) async throws -> Bool {
        let after = feed.log.head.map { RedisFeedStream.ID($0) }
        let entries = try await stream.read(after: after, waiting: milliseconds)
        for bytes in entries {
            let (transaction, previous) = try FeedCoding.decode(bytes, known: &known)
            if let head = feed.log.head, previous > head {
                logger.warning("a part of the change feed was missed; clients read afresh")
                feed.log.restart(at: previous)
            }
            feed.append(transaction)
        }
        return !entries.isEmpty
    }
}

import ApusPostgres
import DequeModule
import Logging

extension RedisFeedRelay {
    /// Where publishing stands.
    private struct Cursor {
        /// Of the next entry of the log.
        var number: UInt64
        /// What the next entry follows.
        var previous: FeedPosition
        /// The last entry in Redis.
        var top: RedisFeedStream.ID?
        /// What has committed up to here is in Redis up to `top`.
        var caughtUp: LSN
    }

    private struct Batch {
        var transactions: ArraySlice<FeedTransaction>
        var keepFrom: RedisFeedStream.ID?
        var caughtUp: LSN
    }

    /// Publishes the feed's log until the task is cancelled. Without Redis, this node goes on by itself.
    func publish(_ feed: ChangeFeed, epoch: UInt64, holdBack: Int) async {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let subscription = feed.subscribe(from: nil) { _ in wake.yield() }
        let asking = bus.subscribe(Self.askTopic) { _ in feed.requestProgress() }
        var iterator = wakes.makeAsyncIterator()
        var isKnown = false
        while !Task.isCancelled {
            do {
                let stream = try await connect(epoch: epoch)
                defer { stream.connection.close() }
                if isKnown { logger.info("publishing the change feed again") }
                isKnown = false
                var cursor = align(feed.log, with: try await stream.top())
                while !Task.isCancelled {
                    if try await !step(&cursor, feed.log, stream) { _ = await iterator.next() }
                }
            } catch {
                guard !Task.isCancelled else { break }
                if !isKnown {
                    logger.warning(
                        "the change feed cannot be published to other nodes",
                        metadata: ["reason": "\((error as? RedisFailure)?.message ?? "\(error)")"])
                    isKnown = true
                }
                giveUp(feed.log, holdBack)
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        subscription?.cancel()
        withExtendedLifetime(asking) {}
    }

    // MARK: - Non public

    /// Bounds on what goes to Redis at once.
    private static let batchEntries = 128
    private static let batchBytes = 4 << 20

    /// Publishes what is next. False when there was nothing.
    private func step(
        _ cursor: inout Cursor, _ log: FeedLog, _ stream: RedisFeedStream
    ) async throws -> Bool {
        let batch = next(&cursor, log)
        guard !batch.transactions.isEmpty || batch.caughtUp > published else { return false }
        var previous = cursor.previous
        var entries: [(id: RedisFeedStream.ID, bytes: [UInt8])] = []
        for transaction in batch.transactions {
            let bytes = FeedCoding.encode(transaction, after: previous)
            entries.append((RedisFeedStream.ID(transaction.position), bytes))
            previous = transaction.lastPosition
        }
        let progress = RedisFeedStream.Progress(
            last: entries.last?.id ?? cursor.top, caughtUp: batch.caughtUp)
        let (appended, top) = try await stream.append(
            entries, after: cursor.top, keepFrom: batch.keepFrom, progress: progress)
        guard appended else {
            // Redis has lost something, or has more than was thought.
            cursor = align(log, with: top)
            return true
        }
        cursor.number += UInt64(entries.count)
        cursor.previous = previous
        cursor.top = entries.last?.id ?? cursor.top
        cursor.caughtUp = batch.caughtUp
        note(progress, epoch: stream.epoch)
        return true
    }

    private func next(_ cursor: inout Cursor, _ log: FeedLog) -> Batch {
        log.state.withLock { state in
            let recent = state.recent
            if cursor.number < recent.firstNumber, let start = recent.start {
                cursor.number = recent.firstNumber
                cursor.previous = start
                cursor.caughtUp = max(cursor.caughtUp, start.lsn)
            }
            let transactions = recent.entries(
                from: cursor.number, limit: Self.batchEntries, bytes: Self.batchBytes)
            let isAll = cursor.number + UInt64(transactions.count) == recent.endNumber
            let last = transactions.last { $0.isLastPart }?.endLSN ?? .zero
            // More is to come: whoever has this part is behind, also when Redis had it all once and has lost it.
            return Batch(
                transactions: transactions, keepFrom: recent.start.map { .init($0) },
                caughtUp: isAll ? recent.caughtUp : max(cursor.caughtUp, last))
        }
    }

    /// The first entry of the log that comes after what Redis has.
    private func align(_ log: FeedLog, with top: RedisFeedStream.ID?) -> Cursor {
        log.state.withLock { state in
            let recent = state.recent
            var number = recent.firstNumber
            var previous = recent.start ?? .init(epoch: 0, lsn: .zero)
            var caughtUp = previous.lsn
            if let top {
                for transaction in recent.entries where RedisFeedStream.ID(transaction.position) <= top {
                    number += 1
                    previous = transaction.lastPosition
                    if transaction.isLastPart { caughtUp = transaction.endLSN }
                }
            }
            return Cursor(number: number, previous: previous, top: top, caughtUp: caughtUp)
        }
    }

    /// While Redis is away, what is not published is not confirmed, so that another node can read it again from
    /// the slot. How much log that holds back is bounded: beyond it, nodes that miss something are told.
    private func giveUp(_ log: FeedLog, _ holdBack: Int) {
        let caughtUp = log.caughtUp
        if caughtUp.value - min(caughtUp.value, published.value) > UInt64(holdBack) { reset(to: caughtUp) }
    }
}

extension RedisFeedStream {
    /// The last entry's id; nil when there is none.
    func top() async throws -> ID? {
        let words = ["XREVRANGE", "\(prefix):feed:\(epoch)", "+", "-", "COUNT", "1"]
        return ID(try await connection.send(words.map { Array($0.utf8) }).items?.first?.items?.first?.text)
    }
}

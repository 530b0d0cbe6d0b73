import ApusRealtime

/// What those heard last who followed a read, for when they come back.
struct LiveMemory: Sendable {
    var body: [UInt8]
    var id: String
    var hash: UInt64
    /// What the result shows at least.
    var reading: RelationClock.Reading
    var history: LiveHistory

    /// Roughly what it takes in memory.
    var bytes: Int { body.count + history.bytes + 512 }
}

/// Memories of reads that nobody follows now: bounded in bytes and in time, the oldest go first.
struct LiveMemories: Sendable {
    private typealias Entry = (key: [UInt8], number: UInt64, until: ContinuousClock.Instant)

    private var memories: [[UInt8]: (memory: LiveMemory, number: UInt64)] = [:]
    /// In the order in which they came, also of some that were taken meanwhile.
    private var order: [Entry] = []
    private var bytes = 0
    private var lastNumber: UInt64 = 0

    private static let mostBytes = 16 << 20
    private static let lifetime = Duration.seconds(600)

    mutating func insert(_ memory: LiveMemory, for key: [UInt8]) {
        _ = take(key)
        guard memory.bytes <= Self.mostBytes else { return }
        lastNumber += 1
        memories[key] = (memory, lastNumber)
        order.append((key, lastNumber, .now + Self.lifetime))
        bytes += memory.bytes
        var count = 0
        while bytes > Self.mostBytes, count < order.count {
            forget(order[count])
            count += 1
        }
        order.removeFirst(count)
        if order.count > 2 * memories.count + 64 {
            let memories = memories
            order.removeAll { memories[$0.key]?.number != $0.number }
        }
    }

    mutating func take(_ key: [UInt8]) -> LiveMemory? {
        guard let found = memories.removeValue(forKey: key) else { return nil }
        bytes -= found.memory.bytes
        return found.memory
    }

    mutating func removeOld() {
        let now = ContinuousClock.now
        let old = order.prefix { $0.until <= now }
        for entry in old { forget(entry) }
        order.removeFirst(old.count)
    }

    /// Lets go of what came with this entry, unless it was taken, or another one has come since.
    private mutating func forget(_ entry: Entry) {
        if memories[entry.key]?.number == entry.number { _ = take(entry.key) }
    }
}

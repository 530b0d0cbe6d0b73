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
    private var memories: [[UInt8]: (memory: LiveMemory, number: UInt64)] = [:]
    /// In the order in which they came, also of some that were taken meanwhile.
    private var order: [(key: [UInt8], number: UInt64, until: ContinuousClock.Instant)] = []
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
        removeFirst { memories in memories.bytes > Self.mostBytes }
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
        var count = 0
        removeFirst { memories in
            defer { count += 1 }
            return count < memories.order.count && memories.order[count].until <= now
        }
    }

    /// Removes from the beginning while the condition holds, which is asked before each.
    private mutating func removeFirst(while condition: (Self) -> Bool) {
        var count = 0
        while condition(self), count < order.count {
            let entry = order[count]
            if memories[entry.key]?.number == entry.number { _ = take(entry.key) }
            count += 1
        }
        order.removeFirst(count)
    }
}

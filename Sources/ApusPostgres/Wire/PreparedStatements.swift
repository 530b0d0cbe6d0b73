/// Which statements a connection keeps prepared, the least recently used giving way.
///
/// Every preparation has a serial of its own, never used again, so that an answer that comes late (a
/// `Parse` skipped by an error before it) cannot hit a later preparation of the same text.
struct PreparedStatements {
    struct Key: Hashable {
        /// `StatementText.id`.
        var text: UInt64
        /// The interned role; plans depend on row security.
        var role: Int
        /// `Binds.typeSignature`.
        var types: UInt64
    }

    private struct Entry {
        var serial: UInt64
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var lastSerial: UInt64 = 0

    /// `limit` is the largest number of statements kept, at least one.
    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { entries.count }

    /// The serial under which the statement is prepared, and marks it used; nil when it is not.
    mutating func use(_ key: Key) -> UInt64? {
        clock &+= 1
        guard let index = entries.index(forKey: key) else { return nil }
        entries.values[index].lastUse = clock
        return entries.values[index].serial
    }

    /// Notes that the statement is being prepared; says under which serial, and which one has to be closed
    /// to make room.
    mutating func add(_ key: Key) -> (serial: UInt64, evicted: UInt64?) {
        var evicted: UInt64?
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            evicted = oldest.value.serial
            entries[oldest.key] = nil
        }
        lastSerial += 1
        clock &+= 1
        entries[key] = Entry(serial: lastSerial, lastUse: clock)
        return (lastSerial, evicted)
    }

    /// Forgets a preparation that failed, or that the server no longer accepts.
    mutating func forget(_ serial: UInt64) {
        if let key = entries.first(where: { $0.value.serial == serial })?.key { entries[key] = nil }
    }

    /// After `DISCARD ALL` or `DEALLOCATE ALL`. Serials go on.
    mutating func forgetAll() { entries.removeAll(keepingCapacity: true) }
}

/// What `pg_current_snapshot()` shows (PostgreSQL, "Transaction ID and Snapshot Information Functions").
struct XIDSnapshot: Sendable, Equatable {
    private let xmin: UInt64
    private let xmax: UInt64
    private let running: Set<UInt64>

    /// Reads `xmin:xmax:xip,xip`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let xmin = UInt64(parts[0]), let xmax = UInt64(parts[1]) else { return nil }
        self.xmin = xmin
        self.xmax = xmax
        running = Set(parts[2].split(separator: ",").compactMap { UInt64($0) })
    }

    /// Whether the effects of a committed transaction are seen.
    func sees(_ xid: UInt64) -> Bool { xid < xmin || (xid < xmax && !running.contains(xid)) }
}

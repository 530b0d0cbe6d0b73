import ApusJSON
import ApusRealtime

/// Numbers the entries of `postgres_changes`: equal entries have equal numbers on all connections, so that what is
/// sent to them is equal too and is encoded once.
enum ChangeBinding {
    /// In the order of the entries; different within one channel even where two are equal.
    static func ids(of changes: [JoinRequest.Changes]) -> [Int] {
        var taken: Set<Int> = []
        return changes.map { changes in
            var id = number(of: changes)
            while !taken.insert(id).inserted { id += 1 }
            return id
        }
    }

    /// FNV-1a over what distinguishes entries, cut to 27 bits, which every client's integers hold.
    private static func number(of changes: JoinRequest.Changes) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ text: String) {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        }
        add(changes.event.rawValue)
        add(changes.schema)
        add(changes.table ?? "")
        add(changes.filter ?? "")
        for column in changes.select ?? [] { add(column) }
        return Int(truncatingIfNeeded: hash >> 16) & 0x7FF_FFFF
    }
}

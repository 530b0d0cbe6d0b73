/// The values of one execution, in one piece of memory.
///
/// All values lie one after the other in ``storage``, each followed by a NUL, as libpq wants text; so a
/// request with ten parameters costs two allocations and not twenty.
package struct Binds: Sendable, Equatable {
    /// Where one value lies.
    package struct Entry: Sendable, Equatable {
        /// Offset into ``Binds/storage``; −1 for SQL null.
        package var offset: Int
        /// Length in bytes, without the NUL after it.
        package var length: Int
        /// Object id of the type, 0 when PostgreSQL shall infer it.
        package var oid: UInt32
        package var isBinary: Bool
    }

    package private(set) var storage: [UInt8]
    package private(set) var entries: [Entry]
    /// Whether a text value holds a NUL byte, which PostgreSQL's text cannot. The driver refuses the
    /// execution with SQLSTATE 22021, as the server would.
    package private(set) var containsNUL = false

    package init() {
        storage = []
        entries = []
    }

    /// Reserves room for `values` values of `bytes` bytes in all.
    package init(values: Int, bytes: Int) {
        self.init()
        entries.reserveCapacity(values)
        storage.reserveCapacity(bytes + values)
    }

    package var count: Int { entries.count }

    package mutating func appendNull(oid: UInt32 = 0) {
        entries.append(Entry(offset: -1, length: 0, oid: oid, isBinary: false))
    }

    /// A value in text format.
    package mutating func append(text bytes: some Collection<UInt8>, oid: UInt32 = 0) {
        let offset = storage.count
        storage.append(contentsOf: bytes)
        let length = storage.count - offset
        if !containsNUL, storage[offset...].contains(0) { containsNUL = true }
        storage.append(0)
        entries.append(Entry(offset: offset, length: length, oid: oid, isBinary: false))
    }

    /// A value in the binary format of the type.
    package mutating func append(binary bytes: some Collection<UInt8>, oid: UInt32) {
        let offset = storage.count
        storage.append(contentsOf: bytes)
        entries.append(Entry(offset: offset, length: storage.count - offset, oid: oid, isBinary: true))
        storage.append(0)
    }

    package mutating func append(_ value: SQLValue) {
        switch value {
        case .null: appendNull()
        case .text(let string): append(text: string.utf8)
        case .typed(let string, let oid): append(text: string.utf8, oid: oid)
        case .binary(let bytes, let oid): append(binary: bytes, oid: oid)
        }
    }
}

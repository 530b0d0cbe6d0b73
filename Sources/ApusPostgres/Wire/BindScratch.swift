import ApusSQL

/// libpq's view of ``Binds``: arrays of pointers, lengths and formats, reused from execution to execution.
struct BindScratch {
    private var values: [UnsafePointer<CChar>?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var types: [UInt32] = []

    /// What `PQsendQueryPrepared` and `PQsendQueryParams` take. Lengths and formats are nil when every value
    /// is text: libpq then counts to the NUL.
    struct View {
        var count: Int32
        var values: UnsafePointer<UnsafePointer<CChar>?>?
        var lengths: UnsafePointer<Int32>?
        var formats: UnsafePointer<Int32>?
        var types: UnsafePointer<UInt32>?
    }

    /// Calls `body` with pointers that hold during the call.
    mutating func withView<R>(_ binds: Binds, _ body: (View) -> R) -> R {
        if binds.entries.isEmpty {
            return body(View(count: 0, values: nil, lengths: nil, formats: nil, types: nil))
        }
        return binds.storage.withUnsafeBytes { bytes in
            let isMixed = fill(binds, base: bytes.baseAddress)
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        types.withUnsafeBufferPointer { types in
                            body(
                                View(
                                    count: Int32(values.count), values: values.baseAddress,
                                    lengths: isMixed ? lengths.baseAddress : nil,
                                    formats: isMixed ? formats.baseAddress : nil, types: types.baseAddress))
                        }
                    }
                }
            }
        }
    }

    /// Returns whether any value is binary.
    private mutating func fill(_ binds: Binds, base: UnsafeRawPointer?) -> Bool {
        values.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        var isMixed = false
        for entry in binds.entries {
            let start = entry.offset < 0 ? nil : base.map { $0 + entry.offset }
            values.append(start?.assumingMemoryBound(to: CChar.self))
            lengths.append(Int32(entry.length))
            formats.append(entry.isBinary ? 1 : 0)
            types.append(entry.oid)
            if entry.isBinary { isMixed = true }
        }
        return isMixed
    }
}

extension Binds {
    /// The largest number of parameters that the protocol's 16 bits hold.
    static var maximumCount: Int { 65_535 }

    /// Stands for the parameters' declared types: the same text with other types is another prepared
    /// statement. 0 when PostgreSQL infers all of them.
    var typeSignature: UInt64 {
        var signature: UInt64 = 0
        for entry in entries {
            signature = signature &* 0x100_0000_01b3 &+ UInt64(entry.oid)
        }
        return signature
    }
}

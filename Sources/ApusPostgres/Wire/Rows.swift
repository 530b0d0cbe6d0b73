import CLibPQ

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The answer to one statement: owns a `PGresult` and frees it.
///
/// Sendable: a `PGresult` is immutable once libpq has handed it out ("PQresult functions are thread-safe for
/// read-only use", PostgreSQL, "Behavior in Threaded Programs"), nothing here changes it, and the only owner
/// frees it after the last reference is gone.
package final class Rows: @unchecked Sendable {
    private let result: OpaquePointer
    package let count: Int
    package let columnCount: Int

    /// Takes over `result`.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    // MARK: - The whole

    package var columnNames: [String] {
        (0..<columnCount).map { PQfname(result, Int32($0)).map { String(cString: $0) } ?? "" }
    }

    /// The object id of the column's type (`pg_type.oid`).
    package func columnType(_ column: Int) -> UInt32 { PQftype(result, Int32(column)) }

    /// Whether the column has this name, which ends with a NUL.
    package func isColumn(_ column: Int, named name: [UInt8]) -> Bool {
        guard let own = PQfname(result, Int32(column)) else { return false }
        let length = strlen(own) + 1
        return name.withUnsafeBytes { name in
            name.count == length && name.baseAddress.map { memcmp(own, $0, length) } == 0
        }
    }

    /// The server's command tag, for instance `INSERT 0 1`.
    package var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    /// Rows that the statement read or changed; nil when its tag has no number (`CREATE TABLE`).
    package var affectedRows: Int? { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } }

    // MARK: - A value

    /// Whether the value is SQL null; also true outside the answer.
    package func isNull(_ row: Int, _ column: Int) -> Bool {
        !contains(row, column) || PQgetisnull(result, Int32(row), Int32(column)) == 1
    }

    /// Length in bytes; 0 for null.
    package func length(_ row: Int, _ column: Int) -> Int {
        contains(row, column) ? Int(PQgetlength(result, Int32(row), Int32(column))) : 0
    }

    /// The value's bytes as the server sent them (text format), nil for null. The buffer must not leave the
    /// closure.
    package func withBytes<R, E: Error>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(E) -> R
    ) throws(E) -> R {
        if isNull(row, column) { return try body(nil) }
        let start = PQgetvalue(result, Int32(row), Int32(column))
        return try body(UnsafeRawBufferPointer(start: start, count: length(row, column)))
    }

    /// Bytes of the values in some rows' first columns together.
    package func byteCount(of part: Range<Int>, columns: Int) -> Int {
        var total = 0
        for row in part.clamped(to: 0..<count) {
            let row = Int32(row)
            for column in 0..<Int32(min(columns, columnCount)) {
                total += Int(PQgetlength(result, row, column))
            }
        }
        return total
    }

    /// Calls `body` with each value of a row's first columns, nil for null, while it returns true; whether it always did.
    /// The buffer must not leave the closure.
    package func allValues(
        of row: Int, columns: Int, _ body: (_ column: Int, _ value: UnsafeRawBufferPointer?) -> Bool
    ) -> Bool {
        guard row >= 0, row < count else { return false }
        let row = Int32(row)
        for column in 0..<Int32(min(columns, columnCount)) {
            let length = Int(PQgetlength(result, row, column))
            // Only what is empty may be null.
            let isNull = length == 0 && PQgetisnull(result, row, column) == 1
            let start = isNull ? nil : PQgetvalue(result, row, column)
            let value = start.map { UnsafeRawBufferPointer(start: $0, count: length) }
            if !body(Int(column), value) { return false }
        }
        return true
    }

    package func string(_ row: Int, _ column: Int) -> String? {
        withBytes(row, column) { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// nil for null and for what is no integer of 64 bits.
    package func int(_ row: Int, _ column: Int) -> Int? {
        withBytes(row, column) { bytes in
            bytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// PostgreSQL's text for booleans is `t` and `f`; nil for anything else.
    package func bool(_ row: Int, _ column: Int) -> Bool? {
        withBytes(row, column) { bytes in
            guard let bytes, bytes.count == 1 else { return nil }
            switch bytes[0] {
            case UInt8(ascii: "t"): return true
            case UInt8(ascii: "f"): return false
            default: return nil
            }
        }
    }

    // MARK: - Non public

    /// libpq only warns on standard error when asked for a value that is not there, so ask it never.
    private func contains(_ row: Int, _ column: Int) -> Bool {
        row >= 0 && row < count && column >= 0 && column < columnCount
    }
}

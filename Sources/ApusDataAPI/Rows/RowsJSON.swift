import ApusPostgres
import Synchronization

/// The columns of rows that become JSON: made once, for many results that have them.
final class RowsLayout: Sendable {
    fileprivate let columns: [JSONColumn]
    /// What stands before the values, `{"id":` and `,"name":`, one after the other…
    fileprivate let marks: [UInt8]
    /// …and where each ends.
    fileprivate let markEnds: [Int]
    private let types: [UInt32]
    /// With a NUL behind each.
    private let names: [[UInt8]]
    /// Bytes of a row as JSON, as the last result had them, and a quarter more: how much room the next will want.
    fileprivate let rowLength = Atomic<Int>(128)

    /// nil when a column's type is not known here.
    init?(_ rows: Rows) {
        let names = rows.columnNames
        types = names.indices.map { rows.columnType($0) }
        let columns = types.compactMap { JSONColumn(type: $0) }
        guard columns.count == types.count else { return nil }
        self.columns = columns
        self.names = names.map { Array($0.utf8) + [0] }
        var marks: [UInt8] = []
        var markEnds: [Int] = []
        for (column, name) in names.enumerated() {
            marks += Self.quoted(name, after: column == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            markEnds.append(marks.count)
        }
        self.marks = marks
        self.markEnds = markEnds
    }

    /// Whether these rows have the same columns: a table may have changed since.
    ///
    /// - Parameter others: columns behind them that are not shown.
    func fits(_ rows: Rows, besides others: Int = 0) -> Bool {
        guard rows.columnCount == types.count + others else { return false }
        for column in 0..<types.count
        where rows.columnType(column) != types[column] || !rows.isColumn(column, named: names[column]) {
            return false
        }
        return true
    }

    private static func quoted(_ name: String, after mark: UInt8) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: name.utf8.count * 6 + 4) { buffer, count in
            var writer = JSONWriter(buffer)
            writer.put(mark)
            var name = name
            name.withUTF8 { writer.putText(UnsafeRawBufferPointer($0)) }
            writer.put(UInt8(ascii: ":"))
            count = writer.count
        }
    }
}

/// Makes of rows what `json_agg` makes of them, byte for byte.
///
/// PostgreSQL spends as much on that as on finding the rows of a page; here it is a copy of bytes that have arrived
/// anyway.
struct RowsJSON {
    private let rows: Rows
    private let layout: RowsLayout
    /// Those that are shown.
    private let part: Range<Int>

    /// - Parameters:
    ///   - layout: one that fits the rows.
    ///   - part: the rows to show; nil: all.
    init(_ rows: Rows, _ layout: RowsLayout, _ part: Range<Int>? = nil) {
        self.rows = rows
        self.layout = layout
        self.part = part ?? 0..<rows.count
    }

    /// All rows as an array; nil when a value is not written as was expected (a date in another style than ISO).
    func array() -> [UInt8]? {
        if part.isEmpty { return Array("[]".utf8) }
        return bytes { writer in
            writer.put(UInt8(ascii: "["))
            for row in part {
                if row > part.lowerBound { writer.put(", \n ") }
                guard put(row, &writer) else { return false }
            }
            writer.put(UInt8(ascii: "]"))
            return true
        }
    }

    /// The only row as an object.
    func object() -> [UInt8]? { bytes { put(part.lowerBound, &$0) } }

    // MARK: - Non public

    /// Rows are mostly as long as they were; where the room that was taken does not do, they are measured, and the worst
    /// case is reserved.
    private func bytes(_ write: (inout JSONWriter) -> Bool) -> [UInt8]? {
        let guess = part.count * layout.rowLength.load(ordering: .relaxed) + 8
        if guess <= Self.longestGuess, let bytes = bytes(within: guess, write) {
            return bytes.isEmpty ? nil : bytes
        }
        let length = rows.byteCount(of: part, columns: layout.columns.count)
        let frame = part.count * (layout.marks.count + 9 * layout.columns.count + 8) + 8
        for room in [frame + length + length / 8, frame + length * 6] {
            guard let bytes = bytes(within: room, write) else { continue }
            layout.rowLength.store(bytes.count / max(1, part.count) * 5 / 4 + 16, ordering: .relaxed)
            return bytes.isEmpty ? nil : bytes
        }
        return nil
    }

    /// More room is not taken on a guess, in bytes.
    private static let longestGuess = 1 << 16

    /// nil when there is not room enough; empty when a value is not written as was expected.
    private func bytes(within room: Int, _ write: (inout JSONWriter) -> Bool) -> [UInt8]? {
        var isTooShort = false
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var writer = JSONWriter(buffer)
            let isWritten = write(&writer)
            isTooShort = writer.isFull
            count = isTooShort || !isWritten ? 0 : writer.count
        }
        return isTooShort ? nil : bytes
    }

    private func put(_ row: Int, _ writer: inout JSONWriter) -> Bool {
        if layout.columns.isEmpty { writer.put(UInt8(ascii: "{")) }
        // Over bare memory: this runs for every value of every row.
        let isKnown = layout.marks.withUnsafeBytes { marks in
            layout.markEnds.withUnsafeBufferPointer { ends in
                layout.columns.withUnsafeBufferPointer { columns in
                    var start = 0
                    return rows.allValues(of: row, columns: columns.count) { column, value in
                        writer.put(UnsafeRawBufferPointer(rebasing: marks[start..<ends[column]]))
                        start = ends[column]
                        guard let value else {
                            writer.put("null")
                            return true
                        }
                        return writer.put(value, as: columns[column])
                    }
                }
            }
        }
        writer.put(UInt8(ascii: "}"))
        return isKnown
    }
}

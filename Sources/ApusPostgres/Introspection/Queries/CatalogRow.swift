import ApusCatalog
import ApusSQL

/// One row of one of the catalog's queries.
///
/// Each conforming type is a query: its text, and how a row of the answer is read. All queries of a reading
/// run under an empty search path, so PostgreSQL prints every name with its schema except its own.
protocol CatalogRow: Sendable {
    /// The query; its rows come in an order that does not depend on where they lie on disk.
    static func query(for settings: CatalogSettings) -> SQL
    /// Reads the columns from left to right.
    init(_ row: inout RowReader)
}

extension SQL {
    /// A bind that stands for an array of text.
    static func array(_ elements: [String]) -> SQL {
        "\(bind: ArrayLiteral.encode(elements))::text[]"
    }
}

extension CatalogSettings {
    /// Schemas that can be shown at all: PostgreSQL's own cannot.
    var visibleSchemas: [String] { schemas.filter { $0 != "pg_catalog" && $0 != "information_schema" } }
}

/// Walks through the columns of one row.
///
/// A null where the query cannot give one reads as empty: there is nothing better to do with a server that
/// contradicts its own catalog, and nothing to crash for.
struct RowReader {
    private let rows: Rows
    private let row: Int
    private var column = 0

    init(_ rows: Rows, row: Int) {
        self.rows = rows
        self.row = row
    }

    mutating func optionalText() -> String? {
        defer { column += 1 }
        return rows.string(row, column)
    }

    mutating func text() -> String { optionalText() ?? "" }

    mutating func optionalInteger() -> Int? {
        defer { column += 1 }
        return rows.int(row, column)
    }

    mutating func integer() -> Int { optionalInteger() ?? 0 }

    /// The bytes of a column that would be too large to copy; empty for null.
    mutating func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        defer { column += 1 }
        return rows.withBytes(row, column) { body($0 ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    mutating func oid() -> UInt32 { UInt32(truncatingIfNeeded: integer()) }

    mutating func boolean() -> Bool { optionalText() == "t" }

    mutating func name() -> QualifiedName {
        let schema = text()
        return QualifiedName(schema, text())
    }

    mutating func texts() -> [String] { ArrayLiteral.decode(text()) }

    mutating func integers() -> [Int] { texts().compactMap { Int($0) } }

    /// An `int2vector`, which is printed as `1 2 3`.
    mutating func vector() -> [Int] { text().split(separator: " ").compactMap { Int($0) } }
}

extension RowReader {
    /// All rows of an answer.
    static func read<Row: CatalogRow>(_ rows: Rows, as type: Row.Type) -> [Row] {
        (0..<rows.count).map { index in
            var reader = RowReader(rows, row: index)
            return Row(&reader)
        }
    }
}

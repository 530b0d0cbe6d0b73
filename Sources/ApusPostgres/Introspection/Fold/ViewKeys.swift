import ApusCatalog

/// What exposed views show of the keys of the tables under them.
struct ViewKeys: Sendable {
    /// A column of a table.
    private struct TableColumn: Hashable {
        let table: UInt32
        let column: Int
    }

    /// Columns of a view, by what they show. A column can be shown more than once.
    private var shown: [UInt32: [TableColumn: [Int]]] = [:]
    /// Exposed views that show at least one column of a table.
    private var views: [UInt32: [UInt32]] = [:]
    private var primaryKeys: [UInt32: [Int]] = [:]

    init(_ rows: CatalogRows) {
        let origins = Dictionary(
            rows.views.map { ($0.view, Self.byColumn($0.origins)) }, uniquingKeysWith: { first, _ in first })
        for relation in rows.relations {
            guard let own = origins[relation.oid] else { continue }
            var columns: [TableColumn: [Int]] = [:]
            for (column, origin) in own.sorted(by: { $0.key < $1.key }) {
                columns[Self.base(of: origin, in: origins), default: []].append(column)
            }
            shown[relation.oid] = columns
            for table in Set(columns.keys.map(\.table)) { views[table, default: []].append(relation.oid) }
            primaryKeys[relation.oid] = []
        }
        for key in rows.constraints where key.kind == .primaryKey {
            for view in views[key.table] ?? [] {
                guard let columns = columns(of: view, showing: key.columns, of: key.table) else { continue }
                primaryKeys[view, default: []] += columns.compactMap(\.first)
            }
        }
    }

    /// Column numbers of a view that show the whole primary key of a table under it, of every one where
    /// several are joined; nil for what is no view.
    func primaryKey(of view: UInt32) -> [Int]? { primaryKeys[view] }

    /// Every way in which exposed views show all of these columns of a table, each as the view and its column
    /// numbers in the same order.
    func appearances(of columns: [Int], of table: UInt32) -> [(view: UInt32, columns: [Int])] {
        (views[table] ?? []).flatMap { view in
            guard let alternatives = self.columns(of: view, showing: columns, of: table) else {
                return [(view: UInt32, columns: [Int])]()
            }
            let ways = alternatives.reduce([[]]) { ways, columns in
                ways.flatMap { way in columns.map { way + [$0] } }
            }
            return ways.map { (view, $0) }
        }
    }

    // MARK: - Non public

    private func columns(of view: UInt32, showing columns: [Int], of table: UInt32) -> [[Int]]? {
        guard let shown = shown[view] else { return nil }
        var result: [[Int]] = []
        for column in columns {
            guard let views = shown[TableColumn(table: table, column: column)] else { return nil }
            result.append(views)
        }
        return result
    }

    private static func byColumn(_ origins: [ViewColumnOrigin]) -> [Int: ViewColumnOrigin] {
        Dictionary(origins.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Follows a column through views on views. Each step takes one away from the views that are left, for
    /// `create or replace view` can make views that show each other.
    private static func base(
        of origin: ViewColumnOrigin, in views: [UInt32: [Int: ViewColumnOrigin]]
    ) -> TableColumn {
        var origin = origin
        var stepsLeft = views.count
        while stepsLeft > 0, let next = views[origin.table]?[origin.tableColumn] {
            origin = next
            stepsLeft -= 1
        }
        return TableColumn(table: origin.table, column: origin.tableColumn)
    }
}

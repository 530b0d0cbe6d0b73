import ApusSQL

/// The columns of a statement's only row; those that are nil are left out.
struct ResultColumns {
    enum Total {
        case value(SQL)
        /// The page is all there is.
        case samePage
    }

    /// nil: one row, without counting; there must be a body then.
    var pageTotal: SQL?
    var total: Total?
    var header: SQL?
    var body: SQL?
    var tellsSettings = false
    var inserted: SQL?
    /// Expressions that fail when the number of rows is not what it must be; nobody reads them.
    var guards: [SQL] = []

    init(pageTotal: SQL?) {
        self.pageTotal = pageTotal
    }

    /// The select list, and where in it things are.
    func listed() -> (SQL, ResultLayout) {
        var list: [SQL] = []
        func add(_ column: SQL?, _ name: SQL) -> Int? {
            guard let column else { return nil }
            list.append("\(column) AS \(name)")
            return list.count - 1
        }
        var layout = ResultLayout(pageTotal: .constant(1))
        switch total {
        case nil: break
        case .samePage: layout.total = .samePage
        case .value(let sql): layout.total = add(sql, "total_result_set").map { .column($0) }
        }
        if let column = add(pageTotal, "page_total") { layout.pageTotal = .column(column) }
        layout.header = add(header, "header")
        layout.body = add(body, "body")
        if tellsSettings {
            layout.responseHeaders = add(ResponseSettings.columns[0], "response_headers")
            layout.responseStatus = add(ResponseSettings.columns[1], "response_status")
        }
        layout.inserted = add(inserted, "response_inserted")
        list += guards
        return (list.joined(separator: ", "), layout)
    }
}

/// The statements that carry out a plan.
package struct RenderedPlan: Sendable {
    /// Does the work. Its result is as ``layout`` says.
    package var main: StatementTemplate
    package var layout: ResultLayout
    /// To be run after ``main``, in the same transaction, when ``main`` makes no row that could tell them: one
    /// row with `response_headers` and `response_status`, in this order, both text or null.
    package var responseSettings: StatementTemplate?
    /// `EXPLAIN (FORMAT JSON)` of the query that counts, for `count=planned` and `count=estimated`: one row
    /// with one column, whose `[0]."Plan"."Plan Rows"` is the count.
    package var explainCount: StatementTemplate?
    /// The rows alone, where the body can be made of them here.
    var rowForm: RowForm?

    package init(
        main: StatementTemplate, layout: ResultLayout, responseSettings: StatementTemplate? = nil,
        explainCount: StatementTemplate? = nil
    ) {
        self.main = main
        self.layout = layout
        self.responseSettings = responseSettings
        self.explainCount = explainCount
    }
}

/// Where the answer lies in the result of ``RenderedPlan/main``: columns of its only row, from zero.
///
/// A column that no answer to the plan needs is not there (nil), so that the common read carries two.
package struct ResultLayout: Sendable, Hashable {
    /// Where the number of rows on this page, or of rows written, is.
    package enum PageTotal: Sendable, Hashable {
        case column(Int)
        /// Known without asking (a function that returns one value).
        case constant(Int)
        /// The number in the command tag; there is no row.
        case commandTag
        /// Nowhere: the result is an execution plan.
        case none
    }

    /// Where the number of rows without limit and offset is.
    package enum Total: Sendable, Hashable {
        case column(Int)
        /// The page is all there is.
        case samePage
    }

    package var pageTotal: PageTotal
    /// nil when nobody asked, or only for an estimate.
    package var total: Total?
    /// `text[]` of `key=eq.value` (or `key=is.null`), see ``ArrayLiteral/elements(of:)``; empty unless
    /// exactly one row was inserted.
    package var header: Int?
    package var body: Int?
    /// `response.headers`: JSON, or null.
    package var responseHeaders: Int?
    /// `response.status`, or null.
    package var responseStatus: Int?
    /// Of an upsert: how many rows were inserted and not updated.
    package var inserted: Int?
    /// The result is an execution plan: its rows' first columns are the lines of the body.
    package var isExecutionPlan: Bool

    package init(
        pageTotal: PageTotal, total: Total? = nil, header: Int? = nil, body: Int? = nil,
        responseHeaders: Int? = nil, responseStatus: Int? = nil, inserted: Int? = nil,
        isExecutionPlan: Bool = false
    ) {
        self.pageTotal = pageTotal
        self.total = total
        self.header = header
        self.body = body
        self.responseHeaders = responseHeaders
        self.responseStatus = responseStatus
        self.inserted = inserted
        self.isExecutionPlan = isExecutionPlan
    }
}

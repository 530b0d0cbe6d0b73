package import ApusPlanner
package import ApusPostgres

/// What the database answered to one intent, in no protocol's words.
package struct Answer: Sendable {
    package enum Body: Sendable {
        case none
        /// One value of a result; its bytes are the body and are never parsed.
        case cell(Rows, row: Int, column: Int)
        case bytes([UInt8])
    }

    package var plan: Plan
    package var body: Body
    /// Rows on this page, or rows written.
    package var pageCount: Int
    /// Rows without limit and offset, when they were asked for.
    package var totalCount: Int?
    /// Key and value of the one inserted row's primary key (`eq.` values), for `Location`.
    package var location: [(name: String, value: String)]
    /// `response.headers`, as the database's code set it: JSON.
    package var responseHeaders: [UInt8]?
    /// `response.status`, as the database's code set it.
    package var responseStatus: String?
    /// Of an upsert: rows that were inserted and not updated.
    package var insertedCount: Int?
    /// Whether the body is an execution plan and not data.
    package var isExecutionPlan: Bool

    package init(
        plan: Plan, body: Body = .none, pageCount: Int = 0, totalCount: Int? = nil,
        location: [(name: String, value: String)] = [], responseHeaders: [UInt8]? = nil,
        responseStatus: String? = nil, insertedCount: Int? = nil, isExecutionPlan: Bool = false
    ) {
        self.plan = plan
        self.body = body
        self.pageCount = pageCount
        self.totalCount = totalCount
        self.location = location
        self.responseHeaders = responseHeaders
        self.responseStatus = responseStatus
        self.insertedCount = insertedCount
        self.isExecutionPlan = isExecutionPlan
    }
}

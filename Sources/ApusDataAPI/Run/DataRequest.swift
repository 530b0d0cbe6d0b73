package import ApusPostgres

/// One request for data, beside its shape: who asks, with which values.
package struct DataRequest: Sendable {
    package var principal: Principal
    /// Whether nobody logged in; decides between 401 and 403.
    package var isAnonymous: Bool
    package var values: RequestValues
    package var body: [UInt8]
    package var context: RequestContext

    package init(
        principal: Principal, isAnonymous: Bool, values: RequestValues = RequestValues(), body: [UInt8] = [],
        context: RequestContext
    ) {
        self.principal = principal
        self.isAnonymous = isAnonymous
        self.values = values
        self.body = body
        self.context = context
    }
}

/// What `request.method`, `request.path`, `request.headers` and `request.cookies` show. Made only when
/// something in the database reads it.
package struct RequestContext: Sendable {
    package var method: String
    package var path: String
    /// A JSON object of header fields, names in lower case.
    package var headers: @Sendable () -> [UInt8]
    /// A JSON object of cookies.
    package var cookies: @Sendable () -> [UInt8]

    package init(
        method: String, path: String, headers: @escaping @Sendable () -> [UInt8],
        cookies: @escaping @Sendable () -> [UInt8]
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.cookies = cookies
    }
}

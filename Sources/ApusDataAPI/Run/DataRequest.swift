package import ApusPostgres

/// One request for data, beside its shape: who asks, with which values. An object, because it is handed from stage to stage.
package final class DataRequest: Sendable {
    package let principal: Principal
    /// Whether nobody logged in; decides between 401 and 403.
    package let isAnonymous: Bool
    package let values: RequestValues
    package let body: [UInt8]
    package let context: any RequestContext

    package init(
        principal: Principal, isAnonymous: Bool, values: RequestValues = RequestValues(), body: [UInt8] = [],
        context: any RequestContext
    ) {
        self.principal = principal
        self.isAnonymous = isAnonymous
        self.values = values
        self.body = body
        self.context = context
    }
}

/// Tells what `request.method`, `request.path`, `request.headers` and `request.cookies` show. Asked only when
/// something in the database reads them.
package protocol RequestContext: AnyObject, Sendable {
    var method: String { get }
    var path: String { get }
    /// A JSON object of header fields, names in lower case.
    func headers() -> [UInt8]
    /// A JSON object of cookies.
    func cookies() -> [UInt8]
}

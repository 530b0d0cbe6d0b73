import ApusFaults

/// Why a request cannot be understood, before anything was looked up.
enum RequestFault: Error, Sendable, Equatable {
    enum RangeProblem: Sendable, Equatable {
        /// `Range: 2-1`
        case lowerAboveUpper
        case negativeLimit
    }

    /// A parameter of the query string does not follow the grammar.
    case syntax(message: String, details: String)
    case methodNotAllowedOnFunction(String)
    case body(String)
    case range(RangeProblem)
    case unknownSchema(String, exposed: [String])
    /// `PUT` with `limit` or `offset`.
    case rangeOfUpsert
    case unsupportedMethod(String)
    case invalidPath
    case rootNotDescribed
    case tooManyParameters(limit: Int)
    case tooDeep(limit: Int)
    case tooManyItems(limit: Int)
    case jsonTooDeep(limit: Int)

    /// The fault in the dialect's words; codes that the dialect lacks are ours.
    var fault: Fault {
        switch self {
        case .syntax(let message, let details):
            Fault(code: "PGRST100", kind: .invalid, message: message, details: details)
        case .methodNotAllowedOnFunction(let method):
            Fault(
                code: "PGRST101", kind: .methodNotAllowed, message: "Cannot use the \(method) method on RPC")
        case .body(let message):
            Fault(code: "PGRST102", kind: .invalid, message: message)
        case .range(let problem):
            Fault(
                code: "PGRST103", kind: .rangeNotSatisfiable, message: "Requested range not satisfiable",
                details: problem.details)
        case .unknownSchema(let schema, let exposed):
            Fault(
                code: "PGRST106", kind: .notAcceptable, message: "Invalid schema: \(schema)",
                hint: "Only the following schemas are exposed: " + exposed.joined(separator: ", "))
        case .rangeOfUpsert:
            Fault(
                code: "PGRST114", kind: .invalid,
                message: "limit/offset querystring parameters are not allowed for PUT")
        case .unsupportedMethod(let method):
            Fault(code: "PGRST117", kind: .methodNotAllowed, message: "Unsupported HTTP method: \(method)")
        case .invalidPath:
            Fault(code: "PGRST125", kind: .notFound, message: "Invalid path specified in request URL")
        case .rootNotDescribed:
            Fault(code: "PGRST126", kind: .notFound, message: "Root endpoint metadata is disabled")
        case .tooManyParameters(let limit):
            Fault(
                code: "APUS440", kind: .invalid, message: "The request has more than \(limit) parameters.",
                hint: "Ask for several values of one column with in.(…).")
        case .tooDeep(let limit):
            Fault(
                code: "APUS441", kind: .invalid,
                message: "The query string nests deeper than \(limit) levels.",
                hint: "Split the request, or read from a view.")
        case .tooManyItems(let limit):
            Fault(
                code: "APUS442", kind: .invalid,
                message: "A parameter of the query string has more than \(limit) items.",
                hint: "Split the request, or read from a view.")
        case .jsonTooDeep(let limit):
            Fault(
                code: "APUS443", kind: .invalid, message: "The JSON body nests deeper than \(limit) levels.")
        }
    }
}

extension RequestFault.RangeProblem {
    fileprivate var details: String {
        switch self {
        case .lowerAboveUpper:
            "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        case .negativeLimit: "Limit should be greater than or equal to zero."
        }
    }
}

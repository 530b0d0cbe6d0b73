import ApusCatalog
import ApusPlanner

/// What a path names.
enum Route: Sendable, Equatable {
    case root
    case relation(String)
    case function(String)
    /// `openapi.json`: beside the dialect.
    case openAPI

    init(path: [String], settings: RESTSettings) throws(RequestFault) {
        switch path.count {
        case 0: self = try Self.root(settings)
        case 1 where path[0].isEmpty: self = try Self.root(settings)
        case 1 where path[0] == "openapi.json":
            guard settings.describesRoot else { throw .rootNotDescribed }
            self = .openAPI
        case 1: self = .relation(path[0])
        case 2 where path[0] == "rpc": self = .function(path[1])
        default: throw .invalidPath
        }
    }

    private static func root(_ settings: RESTSettings) throws(RequestFault) -> Route {
        guard settings.describesRoot else { throw .rootNotDescribed }
        return settings.rootFunction.map { .function($0) } ?? .root
    }

    /// What a client wants with it.
    enum Purpose: Sendable, Equatable {
        case act(Intent.Action, wantsBody: Bool)
        /// `OPTIONS`: which methods there are.
        case describe
        /// The root's document.
        case document(wantsBody: Bool)
    }

    func purpose(of method: String) throws(RequestFault) -> Purpose {
        switch (self, method) {
        case (_, "OPTIONS"): return .describe
        case (.function, "GET"): return .act(.call(isReadOnly: true), wantsBody: true)
        case (.function, "HEAD"): return .act(.call(isReadOnly: true), wantsBody: false)
        case (.function, "POST"): return .act(.call(isReadOnly: false), wantsBody: true)
        case (.function, _): throw .methodNotAllowedOnFunction(method)
        case (.relation, "GET"): return .act(.read, wantsBody: true)
        case (.relation, "HEAD"): return .act(.read, wantsBody: false)
        case (.relation, "POST"): return .act(.insert, wantsBody: true)
        case (.relation, "PUT"): return .act(.upsertOne, wantsBody: true)
        case (.relation, "PATCH"): return .act(.update, wantsBody: true)
        case (.relation, "DELETE"): return .act(.delete, wantsBody: true)
        case (.root, "GET"), (.openAPI, "GET"): return .document(wantsBody: true)
        case (.root, "HEAD"), (.openAPI, "HEAD"): return .document(wantsBody: false)
        default: throw .unsupportedMethod(method)
        }
    }

    /// Whether parameters without an operator are arguments.
    func takesArguments(by method: String) -> Bool {
        guard case .function = self else { return false }
        return method == "GET" || method == "HEAD" || method == "OPTIONS"
    }
}

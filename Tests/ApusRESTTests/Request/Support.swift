import ApusCatalog
import ApusFaults
import ApusPlanner

@testable import ApusREST

/// A request to a relation or function of the schema `public`.
func makeRequest(
    _ method: String = "GET", _ path: String = "items", _ query: String = "",
    fields: RESTRequest.Fields = .init(), body: String = ""
) -> RESTRequest {
    RESTRequest(
        method: method, path: path.split(separator: "/").map(String.init), query: Array(query.utf8),
        fields: fields, body: Array(body.utf8))
}

/// The intent of a request for data.
func intent(
    _ method: String = "GET", _ path: String = "items", _ query: String = "",
    fields: RESTRequest.Fields = .init(), body: String = "", settings: RESTSettings = .init()
) throws -> Intent {
    let request = makeRequest(method, path, query, fields: fields, body: body)
    let read = try RequestReader(settings: settings).read(request)
    guard case .data(let intent) = read.ask else { throw NoIntent(ask: read.ask) }
    return intent
}

struct NoIntent: Error {
    var ask: ReadRequest.Ask
}

/// The fault that a request ends in, or nil.
func fault(
    _ method: String = "GET", _ path: String = "items", _ query: String = "",
    fields: RESTRequest.Fields = .init(), body: String = "", settings: RESTSettings = .init()
) -> Fault? {
    let request = makeRequest(method, path, query, fields: fields, body: body)
    do throws(Fault) {
        _ = try RequestReader(settings: settings).read(request)
        return nil
    } catch {
        return error
    }
}

/// A generator with a fixed seed, so that a failure can be looked at again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

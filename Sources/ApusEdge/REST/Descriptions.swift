package import ApusCatalog
package import ApusDataAPI
import ApusFaults
import ApusHTTP
package import ApusOpenAPI
package import ApusPlanner
import ApusREST

/// What the dialect says about itself: OPTIONS, and the documents.
package struct Descriptions: Sendable {
    /// `openapi-mode`
    package enum Mode: String, Sendable {
        case followPrivileges = "follow-privileges"
        case ignorePrivileges = "ignore-privileges"
        case disabled
    }

    let mode: Mode
    let address: PublicAddress
    let declaresSecurity: Bool
    let planner: Planner
    let version: String
    let documents = DocumentCache()

    package init(
        mode: Mode, address: PublicAddress, declaresSecurity: Bool, planner: Planner, version: String
    ) {
        self.mode = mode
        self.address = address
        self.declaresSecurity = declaresSecurity
        self.planner = planner
        self.version = version
    }
}

extension RESTEndpoint {
    /// Answers what is no request for data.
    func describe(_ ask: ReadRequest.Ask, _ request: DataRequest, _ call: RESTCall) {
        do throws(Fault) {
            switch ask {
            case .data: return
            case .describeRelation(let name):
                let methods = try allowedMethods(onRelation: name)
                // Not before it is known to exist: labels are words of the catalog, never of a client.
                call.label = "describe \(name.name)"
                allow(methods, call)
            case .describeFunction(let intent):
                let methods = try allowedMethods(onFunction: intent)
                call.label = "describe \(intent.target.name)"
                allow(methods, call)
            case .describeRoot: allow("OPTIONS,GET,HEAD", call)
            case .document(let document): try self.document(document, request, call)
            }
        } catch {
            finish(call, error)
        }
    }

    private func allow(_ methods: String, _ call: RESTCall) {
        call.exchange.respond(
            complete(
                RESTResponse(
                    status: 200,
                    fields: [.init("Access-Control-Allow-Origin", "*"), .init("Allow", methods)],
                    body: .bytes([])),
                call))
    }

    private func allowedMethods(onRelation name: QualifiedName) throws(Fault) -> String {
        let relation: Relation
        do {
            relation = try descriptions.planner.relation(name, in: try data.currentCatalog())
        } catch let fault as PlanFault {
            throw fault.fault
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(code: "PGRSTX00", kind: .internal, message: "The relation could not be described.")
        }
        var methods = ["OPTIONS", "GET", "HEAD"]
        if relation.isInsertable { methods.append("POST") }
        if relation.isInsertable, relation.isUpdatable, !relation.primaryKey.isEmpty { methods.append("PUT") }
        if relation.isUpdatable { methods.append("PATCH") }
        if relation.isDeletable { methods.append("DELETE") }
        return methods.joined(separator: ",")
    }

    private func allowedMethods(onFunction intent: Intent) throws(Fault) -> String {
        let compiled = try data.prepare(intent, key: nil)
        guard case .call(let call, _) = compiled.plan.work else { return "OPTIONS" }
        return call.function.volatility == .volatile ? "OPTIONS,POST" : "OPTIONS,GET,HEAD,POST"
    }
}

import ApusCatalog
package import ApusFaults
import ApusPlanner
import ApusPostgres
import ApusSQL

/// Asking PostgreSQL about a statement before, or instead of, running it.
extension DataAPI {
    /// Whether requests of this role have to pass ``answerWithinCost(_:_:)``.
    package func limitsCost(of role: String) -> Bool { costGuard.limit(for: role) != nil }

    /// Runs a request if PostgreSQL's estimate is within what its role may spend.
    ///
    /// The estimate is made for the very values and claims of the request, in a round trip before, and is kept for
    /// a minute for requests that are equal.
    ///
    /// - Throws: APUS444 when it would cost too much, and what the request itself throws.
    package func answerWithinCost(
        _ compiled: CompiledRequest, _ request: DataRequest
    ) async throws(Fault) -> Answer {
        if let limit = costGuard.limit(for: request.principal.role), compiled.mayRun {
            let key = CostGuard.key(of: compiled, request)
            let cost: Double
            if let known = key.flatMap({ costGuard.cost(of: $0) }) {
                cost = known
            } else {
                cost = try await estimate(compiled, request).cost
                if let key { costGuard.remember(cost, of: key) }
            }
            try CostGuard.check(cost, within: limit, role: request.principal.role)
        }
        let trip = try roundTrip(compiled, request)
        let result: Result<[Rows], PostgresFault>
        do {
            result = .success(try await database.execute(trip))
        } catch {
            result = .failure(error)
        }
        return try Self.shape(result, compiled, isAnonymous: request.isAnonymous).get()
    }

    /// Asks for the plan of a request as its caller, in a transaction of its own that leaves nothing behind.
    ///
    /// - Throws: what the database says: a caller who may not run a statement may not see its plan.
    package func estimate(
        _ compiled: CompiledRequest, _ request: DataRequest
    ) async throws(Fault) -> PlanEstimate {
        var steps = openingSteps(of: compiled, request)
        steps.append(.init(try explanation(of: compiled, request)))
        // What `db-pre-request` did is undone.
        steps.append(.init(Statement("rollback"), keepsRows: false))
        let trip = RoundTrip(steps: steps, role: request.principal.role, isReadOnly: true)
        do {
            return try Self.estimate(in: try await database.execute(trip).last)
        } catch let refusal as PostgresFault {
            throw DatabaseFault.fault(refusal, isAnonymous: request.isAnonymous)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Self.noPlan
        }
    }

    func explanation(of compiled: CompiledRequest, _ request: DataRequest) throws(Fault) -> Statement {
        let template = compiled.explanation(by: compiler)
        return try template.statement(values: request.values, body: request.body)
    }

    static func estimate(in rows: Rows?) throws(Fault) -> PlanEstimate {
        let json = rows?.withBytes(0, 0) { $0.map { Array($0) } } ?? nil
        guard let json, let estimate = PlanEstimate(json: json) else { throw noPlan }
        return estimate
    }

    private static let noPlan = Fault(
        code: "PGRSTX00", kind: .internal, message: "The database gave no plan.")
}

extension CompiledRequest {
    /// Whether running it does work in the database; showing a plan does not.
    var mayRun: Bool {
        guard case .plan(_, _, let options) = plan.handler.mediaType else { return true }
        return options.contains(.analyze)
    }
}

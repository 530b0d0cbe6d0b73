package import ApusFaults
import ApusPostgres
import ApusSQL

/// A transaction of several requests: a connection of their own, one after the other, all or none.
package struct DataTransaction: Sendable {
    let data: DataAPI
    let session: Session

    /// Runs one request; its effect is seen by the next ones.
    ///
    /// - Throws: what the request throws; let it out, the transaction cannot go on after it.
    package func answer(_ compiled: CompiledRequest, _ request: DataRequest) async throws(Fault) -> Answer {
        var opening = data.openingSteps(of: compiled, request, isPart: true)
        if let limit = data.costGuard.limit(for: request.principal.role) {
            opening.append(.init(try data.explanation(of: compiled, request)))
            let explained = try await execute(
                RoundTrip(steps: opening, role: request.principal.role), request)
            let cost = try DataAPI.estimate(in: explained.last).cost
            try CostGuard.check(cost, within: limit, role: request.principal.role)
            opening = []
        }
        let trip = try data.roundTrip(after: opening, compiled, request, isPart: true)
        let rows = try await execute(trip, request)
        return try DataAPI.shape(.success(rows), compiled, isAnonymous: request.isAnonymous).get()
    }

    private func execute(_ trip: RoundTrip, _ request: DataRequest) async throws(Fault) -> [Rows] {
        do {
            return try await session.execute(trip)
        } catch {
            throw DatabaseFault.fault(error, isAnonymous: request.isAnonymous)
        }
    }
}

extension DataAPI {
    /// Whether `db-tx-end` undoes every transaction.
    package var rollsBackTransactions: Bool { settings.transactionEnd.rollsBack }

    /// Commits when `body` returns, unless `db-tx-end` says otherwise; rolls back when it throws.
    package func inTransaction<Value: Sendable>(
        isAnonymous: Bool, _ body: @Sendable (DataTransaction) async throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        do {
            return try await database.withTransaction { session in
                let value = try await body(DataTransaction(data: self, session: session))
                if settings.transactionEnd.rollsBack { _ = try await session.query("rollback") }
                return value
            }
        } catch let fault as Fault {
            throw fault
        } catch let refusal as PostgresFault {
            throw DatabaseFault.fault(refusal, isAnonymous: isAnonymous)
        } catch {
            throw Fault(code: "PGRSTX00", kind: .internal, message: "The transaction failed.")
        }
    }
}

package import ApusFaults
import ApusPostgres
import ApusSQL
import Synchronization

/// A transaction of several requests: a connection of their own, one after the other, all or none.
package struct DataTransaction: Sendable {
    let data: DataAPI
    let session: Session
    private let earlier = EarlierSettings()

    init(data: DataAPI, session: Session) {
        self.data = data
        self.session = session
    }

    /// Runs one request; its effect is seen by the next ones.
    ///
    /// - Throws: what the request throws; let it out, the transaction cannot go on after it.
    package func answer(_ compiled: CompiledRequest, _ request: DataRequest) async throws(Fault) -> Answer {
        var opening = earlier.undoing(before: compiled.openingOfPart)
        opening += data.openingSteps(of: compiled, request, isPart: true)
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

    /// Commits when `body` returns, or rolls back when that is wanted, after deferred constraints had their say; rolls
    /// back when it throws.
    package func inTransaction<Value: Sendable>(
        isAnonymous: Bool, rollsBack: Bool,
        _ body: @Sendable (DataTransaction) async throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        do {
            return try await database.withTransaction { session in
                let value = try await body(DataTransaction(data: self, session: session))
                if rollsBack {
                    _ = try await session.query("set constraints all immediate")
                    _ = try await session.query("rollback")
                }
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

/// What earlier requests of a transaction have set and a later one must not find: settings last until the transaction
/// ends, and each of its requests is to run as if it were alone.
private final class EarlierSettings: Sendable {
    /// nil before the first request.
    private let names = Mutex<Set<String>?>(nil)

    /// Steps before a request: leaves the last one's role, whose rights may not suffice to set settings; forgets what it
    /// said of its response; puts back what the next one does not set itself.
    func undoing(before opening: TransactionOpening) -> [RoundTrip.Step] {
        let next = opening.constantNames
        let earlier = names.withLock { names in
            defer { names = (names ?? []).union(next) }
            return names
        }
        guard let earlier else { return [] }
        let leave: SQL = """
            select set_config('role', 'none', true), set_config('response.status', '', true),
                set_config('response.headers', '', true)
            """
        var steps = [RoundTrip.Step(Statement(leave), keepsRows: false)]
        for name in earlier.subtracting(next).sorted() {
            let words = name.split(separator: ".", maxSplits: 1).map { SQL.ident(String($0)) }
            steps.append(
                .init(Statement("set local \(words.joined(separator: ".")) to default"), keepsRows: false))
        }
        return steps
    }
}

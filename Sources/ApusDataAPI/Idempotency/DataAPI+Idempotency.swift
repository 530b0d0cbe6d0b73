package import ApusFaults
package import ApusPlanner
import ApusPostgres
import ApusSQL

extension DataAPI {
    /// Runs a request once for its key: the effect and its answer commit together, and whoever sends it again gets
    /// that answer.
    ///
    /// A request that fails leaves nothing behind, its key included: sent again, it is tried again.
    ///
    /// - Parameter wording: turns the answer into what the protocol says.
    /// - Throws: APUS409, APUS422, APUS501, and what the request itself throws.
    package func answerOnce(
        _ compiled: CompiledRequest, _ request: DataRequest, key: IdempotencyKey,
        wording: @Sendable (Answer) throws(Fault) -> StoredAnswer
    ) async throws(Fault) -> StoredAnswer {
        try await once(key, isAnonymous: request.isAnonymous) { transaction throws(Fault) in
            try wording(try await transaction.answer(compiled, request))
        }
    }

    /// The same for a transaction of several requests.
    package func once(
        _ key: IdempotencyKey, isAnonymous: Bool,
        _ body: @Sendable (DataTransaction) async throws(Fault) -> StoredAnswer
    ) async throws(Fault) -> StoredAnswer {
        try await inTransaction(isAnonymous: isAnonymous, rollsBack: settings.transactionEnd.rollsBack) {
            transaction throws(Fault) in
            let store = IdempotencyStore(session: transaction.session)
            if case .known(let answer) = try await store.claim(key) { return answer }
            let answer = try await body(transaction)
            try await store.keep(answer, for: key)
            return answer
        }
    }

    /// Removes answers whose time is over, a thousand at a time so that no lock is held long.
    ///
    /// - Returns: how many were removed.
    package func removeExpiredAnswers() async -> Int {
        var removed = 0
        while !Task.isCancelled {
            let batch: SQL = """
                delete from apus.idempotency_keys where ctid = any (array(
                    select ctid from apus.idempotency_keys where expires_at <= now() limit 1000 for update skip locked))
                """
            guard let rows = try? await database.query(batch), let count = rows.affectedRows else { break }
            removed += count
            if count < 1000 { break }
        }
        return removed
    }
}

import ApusJSON
package import ApusPostgres
import ApusSQL
import Synchronization

/// Keeps what relations depend on, until the schema changes.
package final class ReachBook: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var known: [UInt32: Reach] = [:]
        var asked: Set<UInt32> = []
    }

    private let database: Database
    private let state = Mutex(State())

    package init(database: Database) { self.database = database }

    /// Grows with each ``reset()``; what was derived from an older one may be wrong.
    package var version: UInt64 { state.withLock { $0.generation } }

    /// Forgets everything.
    package func reset() {
        state.withLock { state in
            state.generation += 1
            state.known = [:]
            state.asked = []
        }
    }

    /// What is known of a relation; nil when it is being found out, which this begins.
    package func reach(of relation: UInt32) -> Reach? {
        let (known, generation) = state.withLock { state -> (Reach?, UInt64?) in
            if let known = state.known[relation] { return (known, nil) }
            return (nil, state.asked.insert(relation).inserted ? state.generation : nil)
        }
        if let generation { read(relation, generation) }
        return known
    }

    /// Finds out what is not known of these relations.
    package func find(_ relations: [UInt32]) async {
        for relation in relations where state.withLock({ $0.known[relation] == nil }) {
            let generation = version
            await withCheckedContinuation { continuation in
                read(relation, generation) { continuation.resume() }
            }
        }
    }

    private func read(_ relation: UInt32, _ generation: UInt64, then: @escaping @Sendable () -> Void = {}) {
        let query: SQL = "select \(Reach.query(startingWith: "'r', \(bind: Int(relation))::oid"))::text"
        let trip = RoundTrip(
            steps: [
                .init(Statement("select set_config('search_path', '', true)"), keepsRows: false),
                .init(Statement(query)),
            ], isReadOnly: true)
        database.submit(trip) { [weak self] result in
            let text = (try? result.get())?.first.flatMap { $0.string(0, 0) }
            let object = text.flatMap { try? JSONReader.read(Array($0.utf8)) }?.object
            self?.state.withLock { state in
                guard state.generation == generation else { return }
                state.asked.remove(relation)
                if let object { state.known[relation] = Reach(object) }
            }
            then()
        }
    }
}

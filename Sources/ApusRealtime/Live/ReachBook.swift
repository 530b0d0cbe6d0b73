import ApusJSON
package import ApusPostgres
import ApusSQL
import Synchronization

/// Keeps what relations and functions depend on, until the schema changes.
package final class ReachBook: Sendable {
    /// What is read, by its object id.
    package enum Subject: Sendable, Hashable {
        case relation(UInt32)
        case function(UInt32)
    }

    private struct State {
        var generation: UInt64 = 0
        var known: [Subject: Reach] = [:]
        /// What is being found out, and who waits for it.
        var waiting: [Subject: [@Sendable () -> Void]] = [:]
    }

    private let database: Database
    private let state = Mutex(State())

    package init(database: Database) { self.database = database }

    /// Grows with each ``reset()``; what was derived from an older one may be wrong.
    package var version: UInt64 { state.withLock { $0.generation } }

    /// Forgets everything.
    package func reset() {
        let waiting = state.withLock { state in
            state.generation += 1
            state.known = [:]
            defer { state.waiting = [:] }
            return state.waiting.values.joined()
        }
        for then in waiting { then() }
    }

    /// What is known of one; nil when it is being found out, which this begins.
    package func reach(of subject: Subject) -> Reach? {
        if let known = state.withLock({ $0.known[subject] }) { return known }
        read(subject)
        return nil
    }

    /// Finds out what is not known of these; one question for all who wait for the same.
    package func find(_ subjects: [Subject]) async {
        for subject in subjects where state.withLock({ $0.known[subject] == nil }) {
            await withCheckedContinuation { continuation in
                read(subject) { continuation.resume() }
            }
        }
    }

    /// - Parameter then: called when it is known, could not be found out, or was forgotten.
    private func read(_ subject: Subject, then: (@Sendable () -> Void)? = nil) {
        let begun = state.withLock { state -> UInt64? in
            defer { if let then { state.waiting[subject, default: []].append(then) } }
            if state.waiting[subject] != nil { return nil }
            state.waiting[subject] = []
            return state.generation
        }
        guard let generation = begun else { return }
        let start: SQL =
            switch subject {
            case .relation(let oid): "'r', \(bind: Int(oid))::oid"
            case .function(let oid): "'f', \(bind: Int(oid))::oid"
            }
        let query: SQL = "select \(Reach.query(startingWith: start))::text"
        let trip = RoundTrip(
            steps: [
                .init(Statement("select set_config('search_path', '', true)"), keepsRows: false),
                .init(Statement(query)),
            ], isReadOnly: true)
        database.submit(trip) { [weak self] result in
            let text = (try? result.get())?.first.flatMap { $0.string(0, 0) }
            let object = text.flatMap { try? JSONReader.read(Array($0.utf8)) }?.object
            let waiting = self?.state.withLock { state -> [@Sendable () -> Void] in
                guard state.generation == generation else { return [] }
                if let object { state.known[subject] = Reach(object) }
                return state.waiting.removeValue(forKey: subject) ?? []
            }
            for then in waiting ?? [] { then() }
        }
    }
}

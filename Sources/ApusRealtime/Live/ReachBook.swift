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
        var asked: Set<Subject> = []
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

    /// What is known of one; nil when it is being found out, which this begins.
    package func reach(of subject: Subject) -> Reach? {
        let (known, generation) = state.withLock { state -> (Reach?, UInt64?) in
            if let known = state.known[subject] { return (known, nil) }
            return (nil, state.asked.insert(subject).inserted ? state.generation : nil)
        }
        if let generation { read(subject, generation) }
        return known
    }

    /// Finds out what is not known of these; asks again a few times where the database does not answer.
    package func find(_ subjects: [Subject]) async {
        for subject in subjects {
            for attempt in 0..<Self.attempts where state.withLock({ $0.known[subject] == nil }) {
                if attempt > 0 { try? await Task.sleep(for: Self.pause) }
                let generation = version
                let isAnswered = await withCheckedContinuation { continuation in
                    read(subject, generation) { continuation.resume(returning: $0) }
                }
                if isAnswered, generation == version { break }
            }
        }
    }

    private static let attempts = 3
    private static let pause = Duration.milliseconds(100)

    /// - Parameter then: hears whether the database has answered.
    private func read(
        _ subject: Subject, _ generation: UInt64, then: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
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
            let answer = try? result.get()
            let text = answer?.first.flatMap { $0.string(0, 0) }
            let object = text.flatMap { try? JSONReader.read(Array($0.utf8)) }?.object
            self?.state.withLock { state in
                guard state.generation == generation else { return }
                state.asked.remove(subject)
                if let object { state.known[subject] = Reach(object) }
            }
            then(answer != nil)
        }
    }
}

import ApusSQL
import Synchronization

/// What is known of asking for several requests of one shape by one statement.
///
/// It pays where a statement is short: then most of what it costs — messages, a transaction, a snapshot, starting and ending
/// the executor — is the same for one request and for sixteen.
final class Gathering: Sendable {
    /// Requests in one statement at the most.
    static let most = 16
    /// Nanoseconds of a request's own statement, from which on they had better run side by side. It is measured as it goes
    /// by, so that on a busy machine much of it is waiting for a processor.
    private static let longest: Int64 = 1_000_000
    /// Nanoseconds for all requests of a statement together.
    private static let longestTogether: Int64 = 10_000_000
    /// Bytes of a request's values.
    private static let longestValues = 256
    /// After a failure so many requests go alone: somebody may send what cannot be read as a number again and again.
    private static let pause = 64

    /// nil where it cannot be done.
    let statement: StatementTemplate?
    private let alone = Atomic<Int>(0)

    init(_ statement: StatementTemplate?) { self.statement = statement }

    /// How many requests may go together now, this one among them; 1: it goes alone.
    ///
    /// - Parameter own: the statement of one request.
    func places(for values: RequestValues, own: StatementText) -> Int {
        guard let statement, let mean = own.meanDuration, mean <= Self.longest,
            values.arena.count <= Self.longestValues, !values.arena.contains(0)
        else { return 1 }
        if alone.load(ordering: .relaxed) > 0 {
            alone.subtract(1, ordering: .relaxed)
            return 1
        }
        let expected = max(mean, 1) * Int64(Self.most)
        let longest = max(expected, statement.text.meanDuration ?? 0)
        return longest <= Self.longestTogether
            ? Self.most : max(2, Int(Int64(Self.most) * Self.longestTogether / longest))
    }

    /// It did not work out.
    func failed() { alone.store(Self.pause, ordering: .relaxed) }
}

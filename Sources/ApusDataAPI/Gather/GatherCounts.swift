import Synchronization

/// How often reads went together.
final class GatherCounts: Sendable {
    private let statements = Atomic<Int>(0)
    private let reads = Atomic<Int>(0)

    func count(reads: Int) {
        statements.add(1, ordering: .relaxed)
        self.reads.add(reads, ordering: .relaxed)
    }

    var totals: (statements: Int, reads: Int) {
        (statements.load(ordering: .relaxed), reads.load(ordering: .relaxed))
    }
}

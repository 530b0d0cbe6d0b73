extension ThrowawayCluster {
    /// The one cluster that the suites of a test process share; each makes databases of its own in it.
    package static let shared = Task { try await ThrowawayCluster.start() }
}

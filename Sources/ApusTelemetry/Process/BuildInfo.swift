/// Which program this is: `apus_build_info`, always 1, to join other metrics with.
package struct BuildInfo: Sendable {
    /// The release, for instance `0.1.0`.
    package let version: String
    /// The commit it was built from; nil when the build does not know it.
    package let revision: String?

    package init(version: String, revision: String? = nil) {
        self.version = version
        self.revision = revision
    }

    /// For ``PrometheusMetricsFactory/addCollector(_:)``.
    package func collect(into text: inout PrometheusText) {
        text.family("apus_build_info", .gauge, help: "The version that is running; the value is always 1.")
        let labels = [("version", version)] + (revision.map { [("revision", $0)] } ?? [])
        text.sample("apus_build_info", labels: labels, 1)
    }
}

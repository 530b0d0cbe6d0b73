/// What this build calls itself, in `--version`, logs and `apus_build_info`.
package enum BuildInformation {
    /// Semantic version (semver.org).
    package static let version = "0.1.0"
    /// Commit that it was built from, when the build knows it.
    package static let revision = "unknown"
}

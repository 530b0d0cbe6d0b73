/// What this build calls itself, in `--version`, logs and `apus_build_info`.
package enum BuildInformation {
    /// Semantic version (semver.org).
    package static let version = "0.1.0"
}

/// What a migration's file is called: `YYYYMMDDHHMMSS_name.sql` or `NNNN_name.sql`.
package struct MigrationName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The digits, as written: 14 or 4 of them.
    package let version: String
    /// Letters, digits, `_` and `-`.
    package let name: String

    /// nil when `fileName` does not have the form.
    package init?(fileName: String) {
        guard fileName.hasSuffix(".sql") else { return nil }
        let parts = fileName.dropLast(4).split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(version: String(parts[0]), name: String(parts[1]))
    }

    /// nil when either part does not have the form.
    package init?(version: String, name: String) {
        guard version.count == 14 || version.count == 4, version.allSatisfy({ $0.isASCII && $0.isNumber }),
            !name.isEmpty,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") })
        else { return nil }
        self.version = version
        self.name = name
    }

    package var fileName: String { "\(version)_\(name).sql" }
    package var description: String { "\(version)_\(name)" }

    /// Numbers of four digits come before times of fourteen; among equals in length, text order is order.
    package static func < (left: MigrationName, right: MigrationName) -> Bool {
        (left.version.count, left.version, left.name) < (right.version.count, right.version, right.name)
    }
}

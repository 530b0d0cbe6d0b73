package import ApusJSON
package import ApusSQL

/// A function of the database that takes and returns JSON.
package struct HookFunction: Sendable, Equatable {
    private let schema: String
    private let function: String

    /// - Parameter uri: `pg-functions://postgres/SCHEMA/FUNCTION`, as GoTrue has it, or `SCHEMA.FUNCTION`.
    /// - Returns: nil for anything else.
    package init?(_ uri: String) {
        let prefix = "pg-functions://postgres/"
        let parts =
            uri.hasPrefix(prefix)
            ? uri.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
            : uri.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.count < 64 }) else { return nil }
        (schema, function) = (String(parts[0]), String(parts[1]))
    }

    /// The statement that calls it.
    package func calling(_ input: JSONObject) -> SQL {
        "select \(ident: schema, function)(\(bind: input.text)::jsonb)::text"
    }
}

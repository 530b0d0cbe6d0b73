import ApusSQL

/// The settings every connection of ours has, as one statement.
///
/// Set with `set_config` and not as startup `options`, which connection poolers refuse; so they have to be
/// set again after `DISCARD ALL`.
struct SessionSettings {
    /// Values are literals, so it can also be sent where binds cannot. Empty without settings.
    let sql: SQL

    init(_ parameters: [(String, String)]) {
        let calls = parameters.map { name, value -> SQL in
            "set_config(\(literal: name), \(literal: value), false)"
        }
        sql = calls.isEmpty ? SQL() : "select " + calls.joined(separator: ", ")
    }
}

import ApusSQL

// MARK: - Location

extension StatementBuilder {
    /// Where the one inserted row is, as `text[]` of `key=eq.value`; empty for more rows than one.
    ///
    /// Values are as JSON shows them, so they read as they do in a body.
    func location(primaryKey: [String]) -> SQL {
        if primaryKey.isEmpty { return "'{}'::text[]" }
        let keys = primaryKey.map { SQL.literal($0) }.joined(separator: ", ")
        return """
            CASE WHEN count(*) = 1 THEN coalesce((\
            SELECT array_agg(key || '=' || coalesce('eq.' || value, 'is.null')) \
            FROM json_each_text((SELECT row_to_json(_) FROM \(Names.source) AS _ LIMIT 1)) \
            WHERE key IN (\(keys))), '{}') ELSE '{}' END
            """
    }
}

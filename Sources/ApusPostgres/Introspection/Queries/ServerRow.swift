import ApusSQL

/// The server and what is installed in the database.
struct ServerRow: CatalogRow {
    let version: Int
    let hasPostGIS: Bool

    init(_ row: inout RowReader) {
        version = row.integer()
        hasPostGIS = row.boolean()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        select current_setting('server_version_num'),
            exists (select from pg_extension where extname = 'postgis')
        """
    }
}

import ApusSQL

/// A time zone that the server knows.
struct TimezoneRow: CatalogRow {
    let name: String

    init(_ row: inout RowReader) { name = row.text() }

    static func query(for settings: CatalogSettings) -> SQL {
        // The view walks through the time zone files even when no row is wanted; a false constant in `where`
        // keeps PostgreSQL from asking it at all.
        settings.readsTimezones
            ? "select name from pg_timezone_names order by 1"
            : "select name from pg_timezone_names where false"
    }
}

import ApusSQL

/// A label of an enum.
struct EnumLabelRow: CatalogRow {
    let type: UInt32
    let label: String

    init(_ row: inout RowReader) {
        type = row.oid()
        label = row.text()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        "select enumtypid, enumlabel from pg_enum order by enumtypid, enumsortorder"
    }
}

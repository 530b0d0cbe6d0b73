import ApusSQL

/// A setting of a role that the connected role can become (`alter role … set`), when the connected role may
/// set it.
struct RoleSettingRow: CatalogRow {
    let role: String
    let name: String
    let value: String

    init(_ row: inout RowReader) {
        role = row.text()
        name = row.text()
        value = row.text()
    }

    static func query(for settings: CatalogSettings) -> SQL {
        """
        with role_settings as (
            select distinct r.rolname, split_part(s.setting, '=', 1) as name,
                substr(s.setting, strpos(s.setting, '=') + 1) as value
            from pg_auth_members m
                join pg_roles r on r.oid = m.roleid
                cross join unnest(r.rolconfig) s (setting)
            where m.member = quote_ident(current_user)::regrole
        )
        select s.rolname, s.name, s.value
        from role_settings s
            join pg_settings p on p.name = s.name
        where p.context = 'user' or has_parameter_privilege(s.name, 'set')
        order by 1, 2
        """
    }
}

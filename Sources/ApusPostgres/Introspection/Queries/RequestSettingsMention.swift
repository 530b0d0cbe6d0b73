import ApusSQL

/// The text of something in the database that may read a `request.*` setting, or change any setting.
struct RequestSettingsMention: CatalogRow {
    let text: String

    init(_ row: inout RowReader) { text = row.text() }

    /// `realtime.send` is left out: it sets `realtime.topic` around an insert, and takes it back; no read gets through
    /// the insert.
    ///
    /// Functions are kept as text. Everything else is kept as a parse tree, where a string is printed as the
    /// numbers of its bytes: only a tree that holds those of `request.`, or calls `current_setting` (function
    /// 2077, or 3294 with two arguments) or `set_config` (2078; all fixed in pg_proc.dat), is worth being turned
    /// back into SQL.
    static func query(for settings: CatalogSettings) -> SQL {
        """
        with suspects (kind, class, tree) as (
            select 'rule', r.oid, r.ev_action::text from pg_rewrite r
            where r.oid >= 16384
            union all
            select 'function', p.oid, p.prosqlbody::text from pg_proc p
            where p.oid >= 16384 and p.prosqlbody is not null
            union all
            select 'trigger', t.oid, t.tgqual::text from pg_trigger t where t.tgqual is not null
        ), found as (
            select kind, class from suspects
            where strpos(tree, '114 101 113 117 101 115 116 46') > 0
                or strpos(tree, ':funcid 2077 ') > 0 or strpos(tree, ':funcid 3294 ') > 0
                or strpos(tree, ':funcid 2078 ') > 0
        ), expressions (tree, relation) as (
            select p.polqual, p.polrelid from pg_policy p
            union all
            select p.polwithcheck, p.polrelid from pg_policy p
            union all
            select k.conbin, k.conrelid from pg_constraint k where k.contype = 'c' and k.oid >= 16384
            union all
            select d.adbin, d.adrelid from pg_attrdef d
            union all
            select t.typdefaultbin, 0 from pg_type t where t.typdefaultbin is not null
            union all
            select p.proargdefaults, 0 from pg_proc p
            where p.proargdefaults is not null and p.oid >= 16384
        )
        select * from (
            select p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where p.oid >= 16384 and (n.nspname, p.proname) <> ('realtime', 'send')
            union all
            select case kind
                    when 'rule' then pg_get_ruledef(class)
                    when 'function' then pg_get_function_sqlbody(class)
                    else pg_get_triggerdef(class)
                end
            from found
            union all
            select pg_get_expr(tree, relation) from expressions
            where strpos(tree::text, '114 101 113 117 101 115 116 46') > 0
                or strpos(tree::text, ':funcid 2077 ') > 0 or strpos(tree::text, ':funcid 3294 ') > 0
                or strpos(tree::text, ':funcid 2078 ') > 0
        ) m (source)
        where source ~* '(request|response)\\.|current_setting\\s*\\(\\s*[^''[:space:]]|set_config|pg_settings'
            or source ~* '\\m(set|reset|discard)\\M'
        order by 1
        """
    }
}

import ApusJSON
package import ApusSQL

/// Everything that something in the database may depend on when it is read: through views, policies, inheritance and the
/// bodies of functions, found in PostgreSQL's own parse trees.
package struct Reach: Sendable, Hashable {
    package struct Relation: Sendable, Hashable {
        package var oid: UInt32
        package var schema: String
        package var name: String
        /// `pg_class.relkind`
        package var kind: String
        /// `pg_class.relpersistence` is `p`: its changes are in the WAL.
        package var isPermanent: Bool
    }

    package struct Function: Sendable, Hashable {
        package var schema: String
        package var name: String
        /// `pg_proc.provolatile`
        package var volatility: String
        package var argumentCount: Int
        /// PostgreSQL's own.
        package var isBuiltIn: Bool
        /// Whether what it reads is known: its body was parsed when it was made (`begin atomic`, `return`), or is one of
        /// the plain readers of claims that schema `auth` may have brought along as text.
        package var hasKnownBody: Bool
    }

    package var relations: [Relation]
    package var functions: [Function]
    /// Whether `current_timestamp` and its like, or text that becomes a point in time, occur; or a sample, which is
    /// another one each time.
    package var readsClock: Bool
    /// The expressions and definitions themselves, as PostgreSQL prints them.
    package var texts: [String]
    /// Another one when a definition or a privilege has changed.
    package var version: String

    init(_ object: JSONObject) {
        relations = (object["relations"]?.array ?? []).compactMap { value in
            guard let item = value.object, let oid = item["oid"]?.unsigned else { return nil }
            return Relation(
                oid: oid, schema: item["schema"]?.text ?? "", name: item["name"]?.text ?? "",
                kind: item["kind"]?.text ?? "", isPermanent: item["permanent"] == .bool(true))
        }
        functions = (object["functions"]?.array ?? []).compactMap(\.object).map { item in
            Function(
                schema: item["schema"]?.text ?? "", name: item["name"]?.text ?? "",
                volatility: item["volatility"]?.text ?? "v",
                argumentCount: Int(item["arguments"]?.unsigned ?? 0),
                isBuiltIn: item["builtin"] == .bool(true),
                hasKnownBody: item["parsed"] == .bool(true)
                    || (item["source"]?.text).map(Function.onlyReadsClaims) == true)
        }
        readsClock = object["clock"] == .bool(true)
        texts = (object["texts"]?.array ?? []).compactMap(\.text)
        version = object["version"]?.text ?? ""
    }

    /// Whether equal rows, claims and settings give equal results: nothing depends on a clock, on chance, or on a
    /// function that cannot be looked into.
    package var isPure: Bool {
        !readsClock && functions.allSatisfy(\.isPure) && ClaimsUse(of: texts) != nil
    }

    /// A scalar subquery that finds all of it as JSON.
    ///
    /// - Parameter start: two expressions: a kind (`'r'` relation, `'p'` policy, `'f'` function) and an object id.
    package static func query(startingWith start: SQL) -> SQL {
        """
        (
            with recursive reached (kind, oid) as (
                select x.kind, x.oid from (values (\(start))) x (kind, oid)
                union
                select f.kind, f.oid from reached r cross join lateral (
                    with tree (body) as (
                        select w.ev_action::text from pg_rewrite w
                        where r.kind = 'r' and w.ev_class = r.oid and w.ev_type = '1'
                        union all
                        select p.polqual::text from pg_policy p
                        where r.kind = 'r' and p.polrelid = r.oid and p.polcmd in ('r', '*')
                        union all
                        select p.polqual::text from pg_policy p where r.kind = 'p' and p.oid = r.oid
                        union all
                        select p.prosqlbody::text from pg_proc p where r.kind = 'f' and p.oid = r.oid
                        union all
                        select p.proargdefaults::text from pg_proc p where r.kind = 'f' and p.oid = r.oid
                    )
                    select 'r' as kind, m[1]::oid as oid
                    from tree, regexp_matches(body, ':relid ([0-9]+)', 'g') m where m[1] <> '0'
                    union
                    select 'f', m[1]::oid
                    from tree, regexp_matches(body, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') m
                    where m[1] <> '0'
                    union
                    select 'r', i.inhrelid from pg_inherits i join pg_class h on h.oid = i.inhrelid
                    where r.kind = 'r' and i.inhparent = r.oid and not h.relispartition
                ) f
            ), bodies (text, tree) as (
                select pg_get_viewdef(w.ev_class), w.ev_action::text
                from reached r join pg_rewrite w on w.ev_class = r.oid
                where r.kind = 'r' and w.ev_type = '1'
                union all
                select pg_get_expr(p.polqual, p.polrelid), p.polqual::text
                from reached r join pg_policy p on p.polrelid = r.oid
                where r.kind = 'r' and p.polcmd in ('r', '*')
                union all
                select pg_get_expr(p.polqual, p.polrelid), p.polqual::text
                from reached r join pg_policy p on p.oid = r.oid where r.kind = 'p'
                union all
                select f.nspname || '.' || p.proname || ': '
                        || coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), p.prosqlbody::text
                from reached r join pg_proc p on p.oid = r.oid
                    join pg_namespace f on f.oid = p.pronamespace
                    join pg_language l on l.oid = p.prolang
                where r.kind = 'f' and (p.prosqlbody is not null or l.lanname = 'sql' and f.nspname = 'auth')
                union all
                select pg_get_expr(p.proargdefaults, 0), p.proargdefaults::text
                from reached r join pg_proc p on p.oid = r.oid
                where r.kind = 'f' and p.proargdefaults is not null and p.oid >= 16384
            )
            select json_build_object(
                'relations', (
                    select json_agg(json_build_object(
                        'oid', t.oid::bigint, 'schema', s.nspname, 'name', t.relname, 'kind', t.relkind,
                        'permanent', t.relpersistence = 'p'))
                    from (select distinct oid from reached where kind = 'r') x
                        join pg_class t on t.oid = x.oid join pg_namespace s on s.oid = t.relnamespace),
                'functions', (
                    select json_agg(json_build_object(
                        'schema', s.nspname, 'name', f.proname, 'volatility', f.provolatile,
                        'arguments', f.pronargs, 'builtin', f.oid < 16384,
                        'parsed', f.prosqlbody is not null,
                        'source', case when s.nspname = 'auth' and l.lanname = 'sql' then f.prosrc end))
                    from (select distinct oid from reached where kind = 'f') x
                        join pg_proc f on f.oid = x.oid join pg_namespace s on s.oid = f.pronamespace
                        join pg_language l on l.oid = f.prolang),
                'clock', exists (
                    select from bodies b
                    where b.tree ~ 'SQLVALUEFUNCTION :op [0-8] ' or b.tree ~ 'TABLESAMPLECLAUSE'
                        or b.tree ~ ':resulttype (1082|1083|1114|1184|1266) :resultcollid [0-9]+ :coerceformat'),
                'texts', (select json_agg(distinct b.text) from bodies b where b.text is not null),
                'version', \(version))
        )
        """
    }

    /// Another text when something in the catalog is another that answers may depend on: a definition, a policy, a
    /// privilege, a label, a membership. Of the rows' transaction ids, which PostgreSQL keeps when it freezes them.
    private static var version: SQL {
        """
        (
            select md5(string_agg(v, ',' order by v)) from (
                select 'c' || c.oid || ' ' || c.xmin::text from reached r join pg_class c on c.oid = r.oid
                where r.kind = 'r'
                union
                select 'a' || a.attrelid || ' ' || a.attnum || ' ' || a.xmin::text
                from reached r join pg_attribute a on a.attrelid = r.oid where r.kind = 'r' and a.attnum > 0
                union
                select 'e' || e.oid || ' ' || e.xmin::text
                from reached r join pg_attribute a on a.attrelid = r.oid join pg_type t on t.oid = a.atttypid
                    join pg_enum e on e.enumtypid in (t.oid, t.typbasetype, t.typelem)
                where r.kind = 'r' and a.attnum > 0 and t.oid >= 16384
                union
                select 'p' || p.oid || ' ' || p.xmin::text from reached r join pg_policy p on p.polrelid = r.oid
                where r.kind = 'r'
                union
                select 'w' || w.oid || ' ' || w.xmin::text from reached r join pg_rewrite w on w.ev_class = r.oid
                where r.kind = 'r'
                union
                select 'f' || f.oid || ' ' || f.xmin::text from reached r join pg_proc f on f.oid = r.oid
                where r.kind = 'f' and f.oid >= 16384
                union
                select 'n' || s.oid || ' ' || s.xmin::text from pg_namespace s where s.oid >= 16384
                union
                select 'm' || count(*) || ' ' || coalesce(sum(m.xmin::text::bigint), 0) from pg_auth_members m
                union
                select 's' || count(*) || ' ' || coalesce(sum(s.xmin::text::bigint), 0) from pg_db_role_setting s
            ) x (v)
        )
        """
    }
}

extension Reach.Function {
    /// Stable functions of PostgreSQL's own that read a clock, the catalog or the state of the server. All others
    /// depend on their arguments and on settings alone.
    private static let impureNames: Set<String> = [
        "now", "transaction_timestamp", "statement_timestamp", "col_description", "obj_description",
        "shobj_description", "row_security_active", "format_type", "enum_first", "enum_last", "enum_range",
        "currtid", "lo_get", "table_to_xml", "table_to_xmlschema", "schema_to_xml", "database_to_xml",
    ]
    private static let impurePrefixes = ["pg_", "has_", "txid_", "inet_", "to_reg", "ts_stat", "cursor_to_"]

    /// What the text of `auth.jwt()` in ``Reach/texts`` begins with: it reads all claims for whoever calls it, and the
    /// callers' texts tell which.
    static let ownTokenText = "auth.jwt: "

    private static let claimReaders: Set<String> = [
        "select", "coalesce", "nullif", "current_setting", "true", "uuid", "text", "json", "jsonb", "cast",
        "as",
    ]

    /// Whether a body in SQL's text holds nothing but conversions of settings.
    static func onlyReadsClaims(_ source: String) -> Bool {
        guard let tokens = try? ExpressionLexer.tokens(of: source) else { return false }
        return tokens.allSatisfy { token in
            if case .word(let word) = token.kind { claimReaders.contains(word.lowercased()) } else { true }
        }
    }

    /// Whether what it does is known, whatever it promises: PostgreSQL's own, or with a body that was looked into.
    package var isOpen: Bool { isBuiltIn || hasKnownBody }

    var isPure: Bool {
        if volatility == "i" { return true }
        if volatility == "v" { return false }
        if !isBuiltIn { return hasKnownBody }
        if name == "age" { return argumentCount != 1 }
        return !Self.impureNames.contains(name) && !Self.impurePrefixes.contains { name.hasPrefix($0) }
    }
}

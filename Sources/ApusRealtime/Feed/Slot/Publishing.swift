import ApusFaults
import ApusPostgres
import ApusSQL
import Logging

/// Sees to it that the tables of some schemas are in the publication.
///
/// Tables are published one by one, and never a schema: a published table without replica identity cannot be
/// updated any more (PostgreSQL, "Publication"), so tables without a key must stay out. So must tables whose replica
/// identity is the whole row where virtual columns are a part of it, which are never published. What is missing is added
/// whenever this runs. Nothing is ever taken out: the publication may be the customer's.
struct Publishing: Sendable {
    let name: String
    let schemas: [String]
    let facts: ServerFacts
    let database: Database
    let logger: Logger

    /// Makes the publication when there is none, and adds what is missing.
    ///
    /// - Throws: a `Fault` when there is none and it cannot be made.
    func reconcile() async throws {
        do throws(PostgresFault) {
            if try await !exists() { try await make() }
            try await addTables()
        } catch {
            guard error.kind == .server else { throw FeedFault.database(error) }
            // Another node was faster.
            if ["42710", "23505"].contains(error.sqlState ?? "") { return }
            throw FeedFault.publication(name, role: facts.role, error)
        }
    }

    /// The tables that the feed covers, by object id, and from where on.
    func coverage() async throws(PostgresFault) -> FeedCoverage {
        let rows = try await database.query(
            """
            select c.oid, c.relreplident, pg_current_wal_insert_lsn()
            from pg_publication_tables p join pg_namespace n on n.nspname = p.schemaname
            join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
            join pg_publication b on b.pubname = p.pubname
            where p.pubname = \(bind: name) and b.pubinsert and b.pubupdate and b.pubdelete and b.pubtruncate
            and p.rowfilter is null
            and not exists (
                select from pg_publication_rel r
                where r.prpubid = b.oid and r.prrelid = c.oid and r.prattrs is not null)
            """)
        let lsn = rows.count > 0 ? rows.string(0, 2).flatMap { LSN($0) } : nil
        var tables: [UInt32: FeedCoverage.Table] = [:]
        for row in 0..<rows.count {
            let identity = rows.string(row, 1)?.utf8.first.flatMap {
                FeedRelation.ReplicaIdentity(rawValue: $0)
            }
            tables[UInt32(rows.int(row, 0) ?? 0)] = .init(
                replicaIdentity: identity ?? .default, since: lsn ?? .zero)
        }
        return FeedCoverage(tables: tables)
    }

    // MARK: - Non public

    private func exists() async throws(PostgresFault) -> Bool {
        try await database.query("select from pg_publication where pubname = \(bind: name)").count == 1
    }

    /// Changes of partitions come as changes of the partitioned table, which is what clients read.
    private func make() async throws(PostgresFault) {
        let generated: SQL = facts.version >= 180_000 ? ", publish_generated_columns = stored" : ""
        try await database.query(
            "create publication \(ident: name) with (publish_via_partition_root = true\(generated))")
    }

    private func addTables() async throws(PostgresFault) {
        let missing = try await database.query(
            """
            select n.nspname, c.relname, pg_has_role(c.relowner, 'usage') and pg_has_role(p.pubowner, 'usage')
            from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_publication p
            where n.nspname = any (\(bind: Self.array(schemas))::text[]) and p.pubname = \(bind: name)
            and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
            and (c.relreplident = 'f' and not exists (
                    select from pg_attribute a
                    where a.attrelid = c.oid and a.attgenerated = 'v' and not a.attisdropped) or exists (
                select from pg_index i where i.indrelid = c.oid and i.indisvalid and i.indimmediate
                and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident end))
            and not exists (
                select from pg_publication_tables t
                where t.pubname = p.pubname and t.schemaname = n.nspname and t.tablename = c.relname)
            order by 1, 2
            """)
        var tables: [SQL] = []
        var others = 0
        for row in 0..<missing.count {
            guard let schema = missing.string(row, 0), let table = missing.string(row, 1) else { continue }
            if missing.bool(row, 2) == true { tables.append(.ident(schema, table)) } else { others += 1 }
        }
        if !tables.isEmpty {
            try await database.query(
                "alter publication \(ident: name) add table \(tables.joined(separator: ", "))")
            logger.info("publishing tables", metadata: ["count": "\(tables.count)"])
        }
        if others > 0 {
            logger.debug(
                "tables of other owners are not published",
                metadata: ["count": "\(others)", "role": "\(facts.role)"])
        }
    }

    /// An array literal of names.
    private static func array(_ names: [String]) -> String {
        let quoted = names.map { name in
            "\"" + name.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
        }
        return "{" + quoted.joined(separator: ",") + "}"
    }
}

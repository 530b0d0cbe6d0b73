import ApusPostgres
import ApusSQL

/// The tables in which Apus records what it has applied to a database, in its own schema `apus`.
enum Records {
    /// Creates schema and tables where they are missing. Under the migration lock.
    static func prepare(_ session: Session) async throws(MigrationFault) {
        let version: Int
        do throws(PostgresFault) {
            let rows = try await session.query("select current_setting('server_version_num')")
            version = rows.int(0, 0) ?? 0
            if version >= oldestServer { try await session.simpleQuery(creation) }
        } catch {
            throw MigrationFault(error, purpose: "schema apus", remedy: remedy)
        }
        if version < oldestServer { throw .serverTooOld(version: version) }
    }

    /// Views with the rights of their reader (`security_invoker`) came with it.
    private static let oldestServer = 150_000

    static let remedy = """
        Connect as the owner of the database, or let the owner run: grant create on database … to …; when schema \
        apus exists already, connect as its owner.
        """

    /// Existence is asked for first: `IF NOT EXISTS` asks for the privilege first.
    private static let creation = #"""
        do $do$
        begin
            if to_regnamespace('apus') is null then
                create schema apus;
                comment on schema apus is 'Records of Apus: what it has applied to this database.';
            end if;
            if to_regclass('apus.system_migrations') is null then
                create table apus.system_migrations (
                    number integer primary key,
                    name text not null,
                    applied_at timestamptz not null default now()
                );
                comment on table apus.system_migrations is 'Steps of Apus''s own schema.';
            end if;
            if to_regclass('apus.migrations') is null then
                create table apus.migrations (
                    version text primary key,
                    name text not null,
                    checksum text not null,
                    applied_at timestamptz not null default now(),
                    duration interval not null
                );
                comment on table apus.migrations is 'Files of the migrations directory; checksum is SHA-256.';
            end if;
            if to_regclass('apus.seeds') is null then
                create table apus.seeds (
                    name text primary key,
                    checksum text not null,
                    applied_at timestamptz not null default now(),
                    duration interval not null
                );
                comment on table apus.seeds is 'Seed files that have run; checksum is SHA-256.';
            end if;
        end
        $do$
        """#
}

extension MigrationFault {
    /// A fault of a statement of ours: a missing privilege is told as such.
    init(_ cause: PostgresFault, purpose: String, remedy: String) {
        self =
            cause.sqlState == "42501"
            ? .lackOfPrivilege(purpose: purpose, remedy: remedy, cause) : .database(cause)
    }
}

extension Duration {
    /// As PostgreSQL reads an interval.
    var interval: String { "\(self / .milliseconds(1)) milliseconds" }
}

import ApusPostgres
package import ApusSQL

/// Makes the audit log a chain: each entry gets the next number and a digest of itself and of the link before it, so
/// that one that is changed, taken out or put in breaks every link after it.
///
/// Entries are written without waiting for each other and linked a moment later, by one node at a time; until then they
/// are in the log and not yet in the chain.
package enum AuditChain {
    /// Links what is not linked yet, in the order of writing: run in a transaction.
    static let link: SQL =
        """
        do $do$
        declare
            entry record;
            last_number bigint;
            last_link bytea;
        begin
            if not pg_try_advisory_xact_lock(20477, 1) then
                return;
            end if;
            select number, link into last_number, last_link from auth.audit_log_entries
                where number is not null order by number desc limit 1;
            for entry in
                select id, payload::text as payload, created_at, ip_address from auth.audit_log_entries
                where number is null order by created_at, id limit 10000
            loop
                last_number := coalesce(last_number, 0) + 1;
                last_link := sha256(coalesce(last_link, '') || convert_to(
                    last_number || '|' || entry.id || '|' || extract(epoch from entry.created_at) || '|'
                    || entry.ip_address || '|' || entry.payload, 'UTF8'));
                update auth.audit_log_entries set number = last_number, link = last_link where id = entry.id;
            end loop;
        end
        $do$
        """

    /// The number of the first entry that does not fit its link; no row when all fit.
    package static let firstBroken: SQL =
        """
        select number from (
            select number, link, sha256(coalesce(lag(link) over w, '') || convert_to(
                number || '|' || id || '|' || extract(epoch from created_at) || '|' || ip_address || '|'
                || payload::text, 'UTF8')) as expected,
                lag(number) over w as before
            from auth.audit_log_entries where number is not null window w as (order by number)) chain
        where link <> expected or (before is not null and number <> before + 1)
            or (before is null and number <> 1)
        order by number limit 1
        """
}

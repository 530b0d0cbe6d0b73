extension CatalogStore {
    /// Where the event trigger says that the database's shape has changed.
    package static let ddlChannel = "apus_catalog"

    /// Makes the database tell about changes of its shape; can be run again and again.
    ///
    /// Objects of a session's own (`create temp table` in a function, say) change nothing that anybody else
    /// sees, and `refresh materialized view` only rows. `NOTIFY` is sent at commit, once for a transaction.
    /// Only a superuser may make event triggers; where there is none, `NOTIFY pgrst` asks for a reload.
    package static let eventTriggerSQL = """
        create schema if not exists apus;

        create or replace function apus.watch_catalog() returns event_trigger
            language plpgsql set search_path = pg_catalog, pg_temp
        as $function$
        begin
            if tg_event = 'sql_drop' then
                if exists (
                    select from pg_event_trigger_dropped_objects()
                    where not is_temporary and object_identity !~ '(^| )pg_temp[.]'
                ) then
                    perform pg_notify('apus_catalog', '');
                end if;
            elsif exists (
                select from pg_event_trigger_ddl_commands()
                where schema_name is distinct from 'pg_temp'
                    -- GRANT and REVOKE name no object.
                    and coalesce(object_identity, '') !~ '(^| )pg_temp[.]'
                    and command_tag <> 'REFRESH MATERIALIZED VIEW'
            ) then
                perform pg_notify('apus_catalog', '');
            end if;
        end
        $function$;

        do $block$
        begin
            drop event trigger if exists apus_watch_ddl;
            drop event trigger if exists apus_watch_drop;
            create event trigger apus_watch_ddl on ddl_command_end
                execute function apus.watch_catalog();
            create event trigger apus_watch_drop on sql_drop
                execute function apus.watch_catalog();
        exception when insufficient_privilege then
            raise notice 'no event trigger: only a superuser can make one';
        end
        $block$;
        """
}

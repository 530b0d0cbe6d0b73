extension SystemStep {
    /// Schema `realtime` with the table that holds broadcasts of the database and the policies of private channels.
    ///
    /// As on Supabase, so that policies and functions written for it hold: row security is on and lets nobody
    /// through until somebody writes a policy. A database that was Supabase's keeps its own.
    static let realtimeMessages = SystemStep(
        number: 60, name: "realtime messages",
        sql: #"""
            do $do$
            declare
                wanted text;
            begin
                if to_regnamespace('realtime') is null then
                    create schema realtime;
                end if;
                if to_regclass('realtime.messages') is null then
                    create table realtime.messages (
                        topic text not null,
                        extension text not null,
                        payload jsonb,
                        event text,
                        private boolean default false,
                        updated_at timestamp not null default (now() at time zone 'UTC'),
                        inserted_at timestamp not null default (now() at time zone 'UTC'),
                        id uuid not null default gen_random_uuid(),
                        primary key (id, inserted_at)
                    ) partition by range (inserted_at);
                    comment on table realtime.messages is
                        'Broadcasts sent by the database, kept for some days; its policies say who may join private channels.';
                    -- A message is never refused because upkeep is late.
                    create table realtime.messages_default partition of realtime.messages default;
                    create index messages_topic on realtime.messages (topic, inserted_at desc) where extension = 'broadcast';
                    alter table realtime.messages enable row level security;
                end if;
                foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
                    execute format('grant usage on schema realtime to %I', wanted);
                    execute format('grant select, insert on realtime.messages to %I', wanted);
                end loop;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy:
            "Without it there are no private channels. Connect as the owner of the database (CREATE on it).")

    /// What policies, triggers and applications call.
    static let realtimeFunctions = SystemStep(
        number: 61, name: "realtime functions",
        sql: #"""
            do $do$
            begin
                if to_regprocedure('realtime.topic()') is null then
                    create function realtime.topic() returns text language sql stable parallel safe
                    return nullif(current_setting('realtime.topic', true), '');
                    comment on function realtime.topic() is
                        'The topic that is being joined or written to; for policies on realtime.messages.';
                end if;
                if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
                    create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
                    returns void language plpgsql as $body$
                    declare
                        message_id constant uuid := gen_random_uuid();
                        previous constant text := coalesce(current_setting('realtime.topic', true), '');
                    begin
                        perform set_config('realtime.topic', topic, true);
                        insert into realtime.messages (id, payload, event, topic, private, extension)
                        values (
                            message_id,
                            case when jsonb_typeof(payload) = 'object' and not payload ? 'id'
                                then payload || jsonb_build_object('id', message_id) else payload end,
                            event, topic, private, 'broadcast');
                        perform set_config('realtime.topic', previous, true);
                    exception when others then
                        -- The caller's own work is worth more than the message about it.
                        raise warning 'realtime.send: %', sqlerrm;
                    end
                    $body$;
                    comment on function realtime.send(jsonb, text, text, boolean) is
                        'Broadcasts to a topic when the transaction commits.';
                end if;
                if to_regproc('realtime.broadcast_changes') is null then
                    create function realtime.broadcast_changes(
                        topic_name text, event_name text, operation text, table_name text, table_schema text,
                        new record, old record, level text default 'ROW')
                    returns void language plpgsql as $body$
                    begin
                        if level = 'STATEMENT' then
                            raise exception 'realtime.broadcast_changes is for triggers of rows';
                        end if;
                        perform realtime.send(
                            jsonb_build_object(
                                'operation', operation, 'table', table_name, 'schema', table_schema,
                                'record', case when operation = 'DELETE' then null else to_jsonb(new) end,
                                'old_record', case when operation = 'INSERT' then null else to_jsonb(old) end),
                            event_name, topic_name, true);
                    end
                    $body$;
                    comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is
                        'Broadcasts a row''s change to a private topic; to be called by a trigger.';
                end if;
                if to_regprocedure('realtime.keep_messages(interval)') is null then
                    -- With the rights of its owner: the role that Apus serves as owns nothing.
                    create function realtime.keep_messages(lifetime interval) returns integer
                    language plpgsql security definer set search_path = pg_catalog as $body$
                    declare
                        today constant date := (now() at time zone 'UTC')::date;
                        part record;
                        dropped integer := 0;
                    begin
                        -- One node at a time; the others have nothing to do then.
                        if not pg_try_advisory_xact_lock(hashtext('realtime.keep_messages')) then
                            return 0;
                        end if;
                        for part in select today + i as first_day from generate_series(1, 3) i loop
                            if to_regclass(format('realtime.%I', 'messages_' || to_char(part.first_day, 'YYYY_MM_DD')))
                                is null
                            then
                                execute format(
                                    'create table realtime.%I partition of realtime.messages
                                        for values from (%L) to (%L)',
                                    'messages_' || to_char(part.first_day, 'YYYY_MM_DD'),
                                    part.first_day::timestamp, (part.first_day + 1)::timestamp);
                            end if;
                        end loop;
                        for part in
                            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                            where i.inhparent = 'realtime.messages'::regclass
                                and c.relname ~ '^messages_[0-9]{4}_[0-9]{2}_[0-9]{2}$'
                                and to_date(substr(c.relname, 10), 'YYYY_MM_DD') + 1
                                    <= (now() at time zone 'UTC') - lifetime
                        loop
                            execute format('drop table realtime.%I', part.relname);
                            dropped := dropped + 1;
                        end loop;
                        delete from realtime.messages_default
                        where inserted_at < (now() at time zone 'UTC') - lifetime;
                        return dropped;
                    end
                    $body$;
                    comment on function realtime.keep_messages(interval) is
                        'Makes the partitions of the next days and drops those that are older than this.';
                    revoke all on function realtime.keep_messages(interval) from public;
                    grant usage on schema realtime to authenticator;
                    grant execute on function realtime.keep_messages(interval) to authenticator;
                end if;
                grant execute on function realtime.topic(), realtime.send(jsonb, text, text, boolean)
                    to anon, authenticated, service_role;
            end
            $do$
            """#,
        lackOfPrivilege: .isNotice,
        remedy: "Without them the database cannot broadcast. Connect as the owner of schema realtime.")
}

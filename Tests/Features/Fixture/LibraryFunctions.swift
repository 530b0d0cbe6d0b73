extension Library {
    /// Values that look otherwise outside than inside, computed columns and relationships, media types.
    static let representations = """
        -- A colour: a number inside, #rrggbb outside.
        create domain library.paint as int;
        create function library.json(library.paint) returns json language sql immutable as
            $$ select to_json('#' || lpad(upper(to_hex($1)), 6, '0')) $$;
        create function library.paint(json) returns library.paint language sql immutable as
            $$ select library.paint($1 #>> '{}') $$;
        create function library.paint(text) returns library.paint language sql immutable as
            $$ select (('x' || lpad(replace($1, '#', ''), 8, '0'))::bit(32)::int)::library.paint $$;
        create cast (library.paint as json) with function library.json(library.paint) as implicit;
        create cast (json as library.paint) with function library.paint(json) as implicit;
        create cast (text as library.paint) with function library.paint(text) as implicit;
        create table library.walls (name text primary key, colour library.paint);
        insert into library.walls values ('hall', 255), ('porch', 16711680);

        create function library.headline(library.books) returns text language sql stable as
            $$ select upper($1.title) $$;
        create function library.siblings(library.books) returns setof library.books language sql stable as
            $$ select * from library.books b where b.publisher_id = $1.publisher_id and b.id <> $1.id $$;
        create function library.house(library.books) returns setof library.publishers rows 1 language sql stable as
            $$ select * from library.publishers p where p.id = $1.publisher_id $$;

        create domain library."text/x-titles" as text;
        create function library.add_title(state library."text/x-titles", book library.books)
            returns library."text/x-titles" language sql immutable as
            $$ select (coalesce($1, '') || $2.title || '; ')::library."text/x-titles" $$;
        create aggregate library.titles (library.books) (
            initcond = '', stype = library."text/x-titles", sfunc = library.add_title);

        create domain library."text/plain" as text;
        create domain library."application/octet-stream" as bytea;
        create domain library."image/png" as bytea;
        create function library.picture(book int) returns library."image/png" language sql stable as
            $$ select image::library."image/png" from library.covers where book_id = $1 $$;
        create domain library."*/*" as bytea;
        create function library.anything() returns library."*/*" language plpgsql as $$
            begin
                perform set_config('response.headers', '[{"Content-Type": "text/x-anything"}]', true);
                return convert_to('any bytes', 'UTF8');
            end $$;
        """

    /// Functions of all forms.
    static let functions = """
        create function library.add(a int, b int default 10) returns int language sql immutable as
            $$ select a + b $$;
        create function library.total(variadic numbers int[]) returns bigint language sql immutable as
            $$ select sum(n) from unnest(numbers) n $$;
        create function library.of_genre(wanted library.genre) returns setof library.books
            language sql stable as $$ select * from library.books where genre = wanted order by id $$;
        create function library.first_book() returns library.books language sql stable as
            $$ select * from library.books order by id limit 1 $$;
        create function library.longest(most int) returns table (title text, pages int) language sql stable as
            $$ select title, pages from library.books order by pages desc limit most $$;
        create function library.census(out books bigint, out authors bigint) language sql stable as
            $$ select (select count(*) from library.books), (select count(*) from library.authors) $$;
        create function library.halve(inout n int) language sql immutable as $$ select n / 2 $$;
        create function library.tag_list() returns setof text language sql stable as
            $$ select distinct unnest(tags) from library.books order by 1 $$;
        create function library.nothing() returns void language sql as $$ select $$;
        create function library.no_value() returns int language sql as $$ select null::int $$;
        create function library.echo(json) returns json language sql immutable as $$ select $1 $$;
        create function library.echo_text(text) returns library."text/plain" language sql immutable as
            $$ select $1::library."text/plain" $$;
        create function library.echo_bytes(bytea) returns library."application/octet-stream"
            language sql immutable as $$ select $1::library."application/octet-stream" $$;
        create function library.weigh(kilos int) returns text language sql as $$ select 'kilos' $$;
        create function library.weigh(grams int, precise bool default false) returns text language sql as
            $$ select 'grams' $$;
        create function library.guess(thing int) returns text language sql as $$ select 'number' $$;
        create function library.guess(thing text) returns text language sql as $$ select 'text' $$;
        create function library.keep_notice(notice text) returns text language sql volatile as
            $$ insert into library.notices values ('2024-03-03', notice) returning notice $$;
        create function library.drop_notices() returns setof library.notices language sql volatile as
            $$ delete from library.notices returning * $$;
        create function library.staff_only() returns text language sql as $$ select 'welcome' $$;
        create function library.now_text() returns text language sql stable as
            $$ select to_char(timestamptz '2024-01-01 12:00+00', 'HH24:MI') $$;
        create function library.hold(key int) returns int language plpgsql as $$
            begin
                perform pg_advisory_xact_lock_shared(key);
                return key;
            end $$;
        create function library.hasty() returns text language sql set statement_timeout = '20ms' as
            $$ select pg_sleep(5)::text $$;
        create function archive.oldest() returns text language sql stable as
            $$ select title from archive.scrolls order by id limit 1 $$;
        """

    /// Functions that say something about their own request, or shape its response.
    static let replies = """
        create function library.caller() returns json language sql stable as $$
            select json_build_object(
                'role', current_user, 'sub', auth.uid(),
                'claims', nullif(current_setting('request.jwt.claims', true), '')::json) $$;
        create function library.asked() returns json language sql stable as $$
            select json_build_object(
                'method', current_setting('request.method', true), 'path', current_setting('request.path', true),
                'agent', current_setting('request.headers', true)::json ->> 'user-agent',
                'flavour', current_setting('request.cookies', true)::json ->> 'flavour') $$;
        -- Reads a setting by a name that no scan of its source can find.
        create function library.peek(name text) returns text language sql stable as
            $$ select current_setting('request.' || name, true) $$;
        create function library.app(name text) returns text language sql stable as
            $$ select current_setting('app.settings.' || name, true) $$;
        create function library.answer_with(status text, headers text) returns text language plpgsql as $$
            begin
                perform set_config('response.status', status, true);
                perform set_config('response.headers', headers, true);
                return 'done';
            end $$;
        create function library.refuse(state text) returns void language plpgsql as $$
            begin
                raise exception using errcode = state, message = 'No.', detail = 'Because.', hint = 'Ask again.';
            end $$;
        create function library.refuse_in_full(reply text, shape text) returns void language plpgsql as $$
            begin
                raise sqlstate 'PGRST' using message = reply, detail = shape;
            end $$;
        create function library.hang_up() returns void language plpgsql security definer as $$
            begin
                perform pg_terminate_backend(pg_backend_pid());
            end $$;
        -- For db-pre-request: turns away who says so, and leaves a mark for the function that looks.
        create function library.at_the_door() returns void language plpgsql as $$
            begin
                if current_setting('request.headers', true)::json ->> 'x-banned' = 'yes' then
                    raise insufficient_privilege using message = 'You are not welcome';
                end if;
                perform set_config('app.visitor', current_user, true);
            end $$;
        create function library.visitor() returns text language sql stable as
            $$ select current_setting('app.visitor', true) $$;
        create function library.root() returns json language sql stable as $$ select '{"it": "is"}'::json $$;
        """
}

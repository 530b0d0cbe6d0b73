/// The little database that the process tests work on.
enum Fixture {
    static let migration = """
        create table things (id int primary key, name text not null);
        insert into things select n, 'thing ' || n from generate_series(1, 100) n;
        create function nap(seconds float) returns text language plpgsql volatile as $$
            begin
                perform pg_sleep(seconds);
                return 'awake';
            end $$;
        create function echo(json) returns json language sql immutable as $$ select $1 $$;
        """
}

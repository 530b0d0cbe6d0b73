import ApusCatalog
import Testing

@testable import ApusPostgres

@Suite struct CatalogIntrospectionTests {
    @Test func readingTwiceGivesTheSame() async throws {
        try await withDatabase(Self.everything) { database in
            let first = try await CatalogReader.read(from: database, settings: CatalogSettings())
            let second = try await CatalogReader.read(from: database, settings: CatalogSettings())
            #expect(first.hasSameContents(as: second))
            #expect(first.version < second.version)
            #expect(!first.relationships.isEmpty)
        }
    }

    @Test func serverAndSchemas() async throws {
        let catalog = try await readCatalog("comment on schema public is 'hello'")
        #expect(catalog.schemas == ["public": "hello"])
        #expect(catalog.serverVersion >= 150_000)
        #expect(!catalog.hasPostGIS)
        #expect(catalog.timezones.contains("Europe/Berlin"))
        let without = try await readCatalog("", settings: CatalogSettings(readsTimezones: false))
        #expect(without.timezones.isEmpty)
    }

    @Test func representations() async throws {
        let catalog = try await readCatalog(
            """
            create domain color as int;
            create function to_json(color) returns json language sql as $$select '1'::json$$;
            create function color(json) returns color language sql as 'select 1::color';
            create cast (color as json) with function to_json(color) as implicit;
            create cast (json as color) with function color(json) as assignment;
            """)
        #expect(
            catalog.representations == [
                .init("public.color", "json"): .init(
                    sourceType: "public.color", targetType: "json", function: "public.to_json")
            ])
    }

    @Test func mediaHandlers() async throws {
        let catalog = try await readCatalog(
            """
            create table t (id int);
            create domain "Text/CSV" as text;
            create domain "*/*" as bytea;
            create domain plain as text;
            create function step(state "Text/CSV", t) returns "Text/CSV" language sql as 'select state';
            create aggregate rows(t) (sfunc = step, stype = "Text/CSV");
            create function step_any(state "*/*", anyelement) returns "*/*"
                language sql as 'select state';
            create aggregate all_rows(anyelement) (sfunc = step_any, stype = "*/*");
            create function sheet() returns "Text/CSV" language sql as $$select 'a'$$;
            create function word() returns plain language sql as $$select 'a'$$;
            """)
        #expect(
            Set(catalog.mediaHandlers) == [
                .init(function: .public("rows"), input: .relation(.public("t")), mediaType: .csv),
                .init(
                    function: .public("all_rows"), input: .anyElement, mediaType: .octetStream,
                    handlesAny: true),
                // Its result becomes a body by `"Text/CSV"(…)`, a cast in the form of a call.
                .init(function: .public("Text/CSV"), input: .relation(.public("sheet")), mediaType: .csv),
                .init(function: .public("Text/CSV"), input: .relation(.public("step")), mediaType: .csv),
                .init(
                    function: .public("*/*"), input: .relation(.public("step_any")), mediaType: .octetStream,
                    handlesAny: true),
            ])
    }

    @Test func settingsOfRolesThatTheConnectedRoleMayBecome() async throws {
        // Roles belong to the whole cluster, so nobody else connects as this one.
        let script = """
            create role settings_login login noinherit;
            create role "settings Member";
            create role settings_stranger;
            grant "settings Member" to settings_login;
            alter role "settings Member" set statement_timeout = '3s';
            alter role "settings Member" set default_transaction_isolation = 'SERIALIZABLE';
            alter role "settings Member" set session_replication_role = 'replica';
            alter role settings_stranger set statement_timeout = '4s';
            """
        try await withDatabase(script) { database in
            let login = database.connected(as: "settings_login")
            let catalog = try await CatalogReader.read(from: login, settings: CatalogSettings())
            await login.shutdown()
            #expect(
                catalog.roleSettings == [
                    "settings Member": [.init(name: "statement_timeout", value: "3s")]
                ])
            #expect(catalog.roleIsolation == ["settings Member": "serializable"])
        }
    }

    @Test(arguments: [
        "create function f() returns text language sql as $$select current_setting('request.path')$$",
        "create function f() returns text begin atomic; select current_setting('request.path'); end",
        "create view v as select current_setting('request.path', true) as p",
        "create table t (p text default current_setting('request.path', true))",
        "create table t (p text check (p <> current_setting('request.path', true)))",
        "create domain d as text default current_setting('request.path', true)",
        "create table t (p text); create policy p on t using (p = current_setting('request.path'))",
        """
        create schema other;
        create function other.g(name text) returns text language sql as $$select $1$$;
        create table t (p text); create policy p on t with check (p = other.g('request.path'))
        """,
        """
        create table t (p text);
        create function f() returns trigger language plpgsql as 'begin return null; end';
        create trigger t after insert on t for each row
            when (current_setting('request.path') = '/') execute function f()
        """,
        "create function f(name text default 'request.path') returns text language sql as 'select $1'",
    ])
    func findsOutWhatOfTheRequestIsRead(script: String) async throws {
        #expect(
            try await readCatalog(script).requestSettingsUse
                == .init(headers: false, cookies: false, method: false, path: true))
    }

    @Test(arguments: [
        "create function f(name text) returns text language sql as 'select CURRENT_SETTING( name)'",
        "create function f(n text) returns text begin atomic; select current_setting('request.' || n); end",
        "create view v as select current_setting(relname) from pg_class",
    ])
    func aNameThatIsOnlyKnownLaterMayBeAny(script: String) async throws {
        #expect(try await readCatalog(script).requestSettingsUse == .init())
    }

    @Test(arguments: [
        (
            "create function f() returns text language sql as $$select set_config('response.a', '', true)$$",
            true
        ),
        ("create view v as select set_config('response.status', '201', true)", true),
        ("create view v as select set_config(relname, '', true) from pg_class", true),
        ("create view v as select set_config('app.name', '', true)", false),
    ])
    func findsOutWhetherResponsesAreShaped(script: String, may: Bool) async throws {
        #expect(try await readCatalog(script).mayShapeResponses == may)
    }

    @Test func readsNothingOfTheRequestUnlessItIsAskedFor() async throws {
        let catalog = try await readCatalog(
            """
            create table request (id int);
            create policy p on request using (id = current_setting('request.jwt.claim.sub')::int);
            create view v as select request.id from request;
            """)
        #expect(
            catalog.requestSettingsUse == .init(headers: false, cookies: false, method: false, path: false))
    }

    private static let everything = """
        create table a (id int primary key, name varchar(10) unique);
        create table b (id int primary key, a int references a, other int references a);
        create table ab (a int references a, b int references b, primary key (a, b));
        create view va as select * from a; create view vb as select id, a, a as again from b;
        create function f(x int) returns setof a language sql as 'table a';
        create function f(x text) returns setof a language sql as 'table a';
        create function g(a) returns setof b language sql as 'table b';
        create policy one on a using (true); create policy two on a for select using (id > 1);
        """
}

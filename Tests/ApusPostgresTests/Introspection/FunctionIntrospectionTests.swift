import ApusCatalog
import Testing

@testable import ApusPostgres

@Suite struct FunctionIntrospectionTests {
    @Test func whatCanBeCalled() async throws {
        let catalog = try await readCatalog(
            """
            create function named(a int) returns int language sql as 'select 1';
            create function body(json) returns int language sql as 'select 1';
            create function unnamed(int) returns int language sql as 'select 1';
            create function two(json, b int) returns int language sql as 'select 1';
            create function fired() returns trigger language plpgsql as 'begin return null; end';
            create procedure done() language sql as 'select 1';
            create aggregate added(int) (sfunc = int4pl, stype = int);
            create schema hidden;
            create function hidden.secret() returns int language sql as 'select 1';
            """)
        #expect(Set(catalog.functions.keys.map(\.name)) == ["named", "body"])
    }

    @Test func parameters() async throws {
        let catalog = try await readCatalog(
            """
            create type mood as enum ('ok');
            create function f(out first int, a char, inout b mood, c bit[] default null, d int default 1)
                language sql as $$select 1, 'ok'::mood$$;
            create function g(variadic names text[]) returns int language sql as 'select 1';
            """)
        #expect(
            catalog.functions[.public("f")]?.first?.parameters == [
                .init(name: "a", type: "character", castType: "character varying"),
                .init(name: "b", type: "public.mood"),
                .init(name: "c", type: "bit[]", castType: "bit varying[]", isRequired: false),
                .init(name: "d", type: "integer", isRequired: false),
            ])
        let variadic = try #require(catalog.functions[.public("g")]?.first)
        #expect(variadic.hasVariadic)
        #expect(variadic.parameters == [.init(name: "names", type: "text[]", isVariadic: true)])
    }

    @Test func results() async throws {
        let catalog = try await readCatalog(
            """
            create table t (id int);
            create type pair as (a int, b int);
            create domain short as text;
            create domain shorter as short;
            create domain couple as pair;
            create function a() returns void language sql as '';
            create function b() returns setof t language sql as 'table t';
            create function c() returns pair language sql as 'select 1, 2';
            create function d() returns shorter language sql as $$select 'x'$$;
            create function e() returns table (x int, y int) language sql as 'select 1, 2';
            create function f(out x int) language sql as 'select 1';
            create function g() returns couple language sql as 'select row(1, 2)::couple';
            create function h() returns setof int language sql as 'select 1';
            """)
        func result(_ name: String) -> Function.Result? { catalog.functions[.public(name)]?.first?.result }
        let system = { QualifiedName("pg_catalog", $0) }
        #expect(catalog.functions[.public("a")]?.first?.returnsVoid == true)
        #expect(result("b") == .init(type: .public("t"), isSet: true, isComposite: true))
        #expect(result("c") == .init(type: .public("pair"), isSet: false, isComposite: true))
        #expect(result("d") == .init(type: system("text"), isSet: false, isComposite: false))
        #expect(result("e") == .init(type: system("record"), isSet: true, isComposite: true))
        #expect(result("f") == .init(type: system("int4"), isSet: false, isComposite: true))
        #expect(
            result("g")
                == .init(type: .public("pair"), isSet: false, isComposite: true, isCompositeDomain: true))
        #expect(result("h") == .init(type: system("int4"), isSet: true, isComposite: false))
    }

    @Test func overloadsComeFewestParametersFirst() async throws {
        let catalog = try await readCatalog(
            """
            create function f(a int, b int) returns int language sql as 'select 2';
            create function f(a text) returns int language sql as 'select 1';
            create function f() returns int language sql as 'select 0';
            create function f(a int) returns int language sql as 'select 1';
            """)
        let overloads = try #require(catalog.functions[.public("f")])
        #expect(
            overloads.map { $0.parameters.map { "\($0.name) \($0.type)" } } == [
                [], ["a integer"], ["a text"], ["a integer", "b integer"],
            ])
    }

    @Test func settingsOfAFunction() async throws {
        let script = """
            create function f() returns int language sql stable
                set statement_timeout = '5s' set default_transaction_isolation = 'repeatable read'
                set search_path = '' as 'select 1';
            comment on function f is 'noted';
            """
        let function = try #require(try await readCatalog(script).functions[.public("f")]?.first)
        #expect(function.volatility == .stable)
        #expect(function.comment == "noted")
        #expect(function.isolationLevel == "repeatable read")
        #expect(
            function.settings == [
                .init(name: "statement_timeout", value: "5s"),
                .init(name: "default_transaction_isolation", value: "repeatable read"),
            ])
        let none = try await readCatalog(script, settings: CatalogSettings(hoistedSettings: []))
        #expect(none.functions[.public("f")]?.first?.settings == [])
    }
}

import Testing

@testable import ApusMigrations

@Suite("Splitting a script into statements")
struct ScriptStatementsTests {
    private func texts(_ script: String) -> [String] { ScriptStatement.statements(of: script).map(\.text) }

    @Test("A semicolon ends a statement; comments and stray semicolons are none")
    func plain() {
        #expect(texts("select 1; select 2") == ["select 1", "select 2"])
        #expect(texts("-- a;b\n/* c; /* d; */ e; */;;  ;\n") == [])
        #expect(texts("select 1 -- one;\n, 2; -- end") == ["select 1 -- one;\n, 2"])
        #expect(texts("") == [])
    }

    @Test(
        "A semicolon inside quotes ends nothing",
        arguments: [
            "select 'a;b'", "select 'it''s; here'", #"select E'a\';b'"#, #"select e'\\' || 'a;b'"#,
            #"select 'a\' || ';'"#, "select E'a'\n  '\\';b'", #"select ";" as "a"";b""#, "select U&'d;'",
            "select $$a;b$$", "select $tag$ a; $$ ; $other$; $tag$", "do $é$ begin; end $é$",
            "select a$1$ from t where x = $1", "select 1 as x$ ", "create rule r as on insert to t do (a; b)",
            "select /* ; */ 1", "select 1e5 || 'x;'",
        ])
    func quoted(statement: String) {
        let trimmed = statement.last == " " ? String(statement.dropLast()) : statement
        #expect(texts("\(statement); select 2") == [trimmed, "select 2"])
    }

    @Test(
        "What is not closed reaches to the end",
        arguments: ["'a; b", "$$a; b", "\"a; b", "$x$ a; $y$", "E'a\\"])
    func unclosed(quote: String) {
        #expect(texts("select \(quote)") == ["select \(quote)"])
    }

    @Test("A parameter is no dollar quote")
    func parameters() {
        #expect(texts("select $1; select $1") == ["select $1", "select $1"])
    }

    @Test("The body of a routine in SQL-standard form is one with it")
    func atomic() {
        let function = """
            create or replace function f(a int) returns int language sql
            begin /* now */ atomic
                select case when a > 0 then case a when 1 then 2 end else 3 end;
                select 4;
            end
            """
        #expect(texts("\(function); select 5") == [function, "select 5"])
        let procedure = "create procedure p() begin atomic insert into t values (1); end"
        #expect(texts("\(procedure); select 5;") == [procedure, "select 5"])
    }

    @Test("BEGIN by itself starts no body")
    func begin() {
        #expect(texts("begin; select 1; end; select 2") == ["begin", "select 1", "end", "select 2"])
        #expect(texts("create table atomic (x int); select 1").count == 2)
    }

    @Test("Positions count lines and characters from 1, in the file")
    func positions() {
        let statements = ScriptStatement.statements(of: "-- ä\n\n  select 'ü', x;\r\nselect\n  y;")
        #expect(statements.map(\.start) == [.init(line: 3, column: 3), .init(line: 4, column: 1)])
        #expect(statements[0].position(ofCharacter: 13) == .init(line: 3, column: 15))
        #expect(statements[1].position(ofCharacter: 10) == .init(line: 5, column: 3))
    }

    @Test("Only what begins or ends a transaction controls one")
    func control() {
        func control(_ text: String) -> ScriptStatement.TransactionControl? {
            ScriptStatement.statements(of: text).first?.transactionControl
        }
        for text in ["begin", "BEGIN work", "start transaction read only"] {
            #expect(control(text) == .begins)
        }
        for text in ["commit", "End", "abort", "rollback", "rollback work", "prepare transaction 'x'"] {
            #expect(control(text) == .ends, "\(text)")
        }
        for text in [
            "savepoint s", "release s", "rollback to s", "rollback work to savepoint s",
            "commit prepared 'x'",
            "rollback prepared 'x'", "prepare p as select 1", "select 'commit'",
        ] {
            #expect(control(text) == nil, "\(text)")
        }
    }

    @Test("COPY from the script is recognised, other COPY is not")
    func copy() {
        func copies(_ text: String) -> Bool { ScriptStatement.statements(of: text)[0].copiesFromScript }
        #expect(copies("copy public.t (a, b) from stdin with (format csv)"))
        #expect(copies("COPY t FROM\n  STDIN"))
        #expect(!copies("copy t from '/data/x'"))
        #expect(!copies("copy (select 1) to stdout"))
    }
}

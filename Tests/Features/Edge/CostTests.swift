import ApusTestSupport
import Testing

/// `db-max-cost`: a statement whose plan costs more than its role may spend is not run.
@Suite struct CostTests {
    private static let heap = """
        create table library.heap (id int primary key, note text);
        insert into library.heap select n, md5(n::text) from generate_series(1, 20000) n;
        create function library.heap_of(most int) returns setof library.heap language sql stable as
            $$ select * from library.heap where id <= most $$;
        analyze library.heap;
        grant all on library.heap to anon, authenticated, service_role;
        """
    private static let server = Task {
        try await TestServer.start(
            ["db-max-cost": "anon=100,authenticated=300", "db-plan-enabled": "true"], prepare: heap)
    }
    let server: TestServer

    init() async throws { server = try await Self.server.value }

    @Test func cheapIsRun() async throws {
        let reply = await server.get("heap?id=eq.7&select=id")
        #expect(reply.status == 200, "\(reply.text)")
        #expect(try reply.json == [["id": 7]])
    }

    @Test func dearIsRefused() async throws {
        let reply = await server.get("heap?note=eq.nothing")
        #expect(reply.status == 400)
        #expect(reply.code == "APUS444")
        #expect(reply.message.hasPrefix("This request would cost "))
        #expect(reply.message.hasSuffix("; the role 'anon' may spend 100."))
        #expect(reply.hint.text?.contains("db-max-cost") == true)
    }

    @Test func valuesCount() async throws {
        // One shape, two plans.
        #expect(await server.get("heap?id=lt.10&select=id").status == 200)
        #expect(await server.get("heap?id=lt.19000&select=id").code == "APUS444")
        #expect(await server.get("heap?id=lt.10&select=id").status == 200)
        #expect(await server.get("rpc/heap_of?most=5").status == 200)
        #expect(await server.get("rpc/heap_of?most=19000").code == "APUS444")
    }

    @Test func rolesHaveLimitsOfTheirOwn() async throws {
        #expect(await server.get("heap?limit=3000&select=id").code == "APUS444")
        #expect(await server.get("heap?limit=3000&select=id", as: Token.ada).status == 200)
        #expect(await server.get("heap?note=eq.nothing", as: Token.ada).code == "APUS444")
        #expect(await server.get("heap?note=eq.nothing", as: Token.service).status == 200)
    }

    @Test func readsThatTheFeedKnowsAreLimitedToo() async throws {
        let live = try await TestServer.start(
            ["db-max-cost": "anon=100"], prepare: Self.heap, isLive: true)
        #expect(
            try await eventually {
                await live.get("heap?id=eq.7", as: Token.service).field("ETag")?.hasPrefix("W/\"0-") == false
            })
        #expect(await live.get("heap?id=eq.7").status == 200)
        #expect(await live.get("heap?note=eq.nothing").code == "APUS444")
        let stream = await EventStream.open(live, "heap?note=eq.nothing")
        #expect(try await stream.first("end")?.json["code"] == "APUS444")
        await live.stop()
    }

    @Test func writesAreNotRun() async throws {
        let reply = await server.send(.delete, "heap?note=neq.nothing", as: Token.ada)
        #expect(reply.code == "APUS444")
        let update = await server.send(
            .patch, "heap?note=neq.nothing", as: Token.ada, body: #"{"note": "gone"}"#)
        #expect(update.code == "APUS444")
        #expect(
            try await server.database.value("select count(*) from library.heap where note <> 'gone'")
                == "20000")
        let insert = await server.send(.post, "notices", as: Token.ada, body: #"{"notice": "cheap"}"#)
        #expect(insert.status == 201, "\(insert.text)")
    }

    @Test func batchesAreUndone() async throws {
        let reply = await server.send(
            .post, "$batch", as: Token.ada,
            body: #"""
                {"requests": [{"method": "POST", "path": "/notices", "body": {"notice": "of a batch"}},
                    {"id": "dear", "path": "/heap?note=eq.nothing"}]}
                """#)
        #expect(reply.code == "APUS444", "\(reply.text)")
        #expect(
            try await server.database.value(
                "select count(*) from library.notices where notice = 'of a batch'") == "0")
        let cheap = await server.send(
            .post, "$batch", as: Token.ada, body: #"{"requests": [{"path": "/heap?id=eq.1&select=id"}]}"#)
        #expect(try cheap.json["responses"]?[0]?["body"] == [["id": 1]])
    }

    @Test func requestsWithAKeyAreLookedAtToo() async throws {
        let fields = ["Idempotency-Key": "dear"]
        #expect(await server.send(.delete, "heap?note=neq.no", as: Token.ada, fields).code == "APUS444")
        #expect(
            await server.send(.post, "notices", as: Token.ada, fields, body: #"{"notice": "k"}"#).status
                == 201)
    }

    @Test func plansMayBeSeenButNotRun() async throws {
        let plan = "application/vnd.pgrst.plan"
        #expect(await server.get("heap?note=eq.nothing", ["Accept": plan]).status == 200)
        let run = await server.get("heap?note=eq.nothing", ["Accept": plan + "; options=analyze"])
        #expect(run.code == "APUS444")
    }

    @Test func refusalsOfTheDatabaseAreItsOwn() async throws {
        let reply = await server.get("loans")
        #expect(reply.status == 401)
        #expect(reply.code == "42501")
        #expect(await server.get("heap?id=eq.x").code == "22P02")
    }

    @Test func preRequestHasNoEffectTwice() async throws {
        let server = try await TestServer.start(
            ["db-max-cost": "1e6", "db-pre-request": "library.count_me"],
            prepare: """
                create table library.counted (n int);
                create function library.count_me() returns void language plpgsql security definer as $$ begin
                    if current_setting('transaction_read_only') = 'off' then
                        insert into library.counted values (1);
                    end if;
                end $$;
                grant execute on function library.count_me() to authenticated;
                """)
        let reply = await server.send(.post, "notices", as: Token.ada, body: #"{"notice": "counted"}"#)
        #expect(reply.status == 201, "\(reply.text)")
        #expect(try await server.database.value("select count(*) from library.counted") == "1")
        await server.stop()
    }

    @Test(arguments: ["anon", "anon=x", "anon=-1", "=", "1,2,three", "anon=inf"])
    func settingThatIsNone(value: String) throws {
        #expect(throws: (any Error).self) { try TestServer.settings(["db-max-cost": value]) }
    }
}

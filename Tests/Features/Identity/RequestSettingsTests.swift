import Testing

/// What SQL can read of a request, and that nothing is sent that no code reads.
@Suite struct RequestSettingsTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func requestAsTheFunctionSeesIt() async throws {
        let reply = await server.get(
            "rpc/asked", ["User-Agent": "tests/1", "Cookie": "flavour=oat; other=\"x\""])
        #expect(
            try reply.json == ["method": "GET", "path": "/rpc/asked", "agent": "tests/1", "flavour": "oat"])
    }

    /// A function that no scan can see through tells what is there; with nobody else to read a setting, none is.
    @Test func onlyWhatIsReadIsSent() async throws {
        let server = try await TestServer.start(
            prepare: """
                drop function library.asked(), library.at_the_door(), library.peek(text);
                create function library.shown(name text) returns text language plpgsql as $$
                    declare
                        found text;
                    begin
                        execute 'show ' || name into found;
                        return found;
                    exception when undefined_object then
                        return 'unknown';
                    end $$;
                create function library.method() returns text language sql stable as
                    $$ select current_setting('request.method', true) $$;
                """)
        let method = await server.get("rpc/shown?name=request.method")
        #expect(try method.json == "GET", "\(method.text)")
        #expect(try await server.get("rpc/shown?name=request.headers").json == "unknown")
        #expect(try await server.get("rpc/shown?name=request.path").json == "unknown")
        await server.stop()
    }

    @Test func everythingIsSentWhenAskedFor() async throws {
        let server = try await TestServer.start(["db-request-settings": "all"])
        #expect(try await server.get("rpc/peek?name=method").json == "GET")
        #expect(try await server.get("rpc/peek?name=path").json == "/rpc/peek")
        await server.stop()
    }

    @Test func settingsOfOneRequestAreGoneInTheNext() async throws {
        let first = await server.get("rpc/asked", ["Cookie": "flavour=oat"])
        #expect(try first.json["flavour"] == "oat")
        let second = await server.get("rpc/asked")
        #expect(try second.json["flavour"] == nil || second.json["flavour"] == .null)
    }

    @Test func settingsOfTheApplication() async throws {
        let server = try await TestServer.start(["app.settings.motto": "read more"])
        #expect(try await server.get("rpc/app?name=motto").json == "read more")
        await server.stop()
    }

    @Test func preRequestSeesAndRefuses() async throws {
        let server = try await TestServer.start(["db-pre-request": "library.at_the_door"])
        #expect(try await server.get("rpc/visitor", as: Token.ada).json == "authenticated")
        let reply = await server.get("books", as: Token.ada, ["X-Banned": "yes"])
        #expect(reply.status == 403)
        #expect(reply.message == "You are not welcome")
        await server.stop()
    }
}

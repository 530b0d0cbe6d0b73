import ApusTestSupport
import Testing

/// The server follows the database's schema while it serves.
@Suite struct CatalogReloadTests {
    @Test func newTableIsServedWithoutAskingAndNoRequestFailsMeanwhile() async throws {
        let server = try await TestServer.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while !Task.isCancelled {
                        let reply = await server.get("books?select=id,publishers(name)&limit=2")
                        #expect(reply.status == 200, "\(reply.text)")
                        try? await Task.sleep(for: .milliseconds(1))
                    }
                }
            }
            for number in 1...5 {
                try await server.database.run(
                    """
                    create table library.poster_\(number) (id int primary key, book_id int references library.books);
                    grant select on library.poster_\(number) to anon;
                    alter table library.books add column extra_\(number) int;
                    """)
            }
            #expect(
                try await eventually { await server.get("poster_5?select=id,books(extra_5)").status == 200 })
            group.cancelAll()
        }
        await server.stop()
    }

    @Test func goneTableIsNotFound() async throws {
        let server = try await TestServer.start()
        #expect(await server.get("notices").status == 200)
        try await server.database.run("drop table library.notices cascade")
        #expect(try await eventually { await server.get("notices").code == "PGRST205" })
        await server.stop()
    }

    @Test func reloadByNotification() async throws {
        let server = try await TestServer.start(
            prepare: "drop event trigger apus_watch_ddl; drop event trigger apus_watch_drop")
        try await server.database.run(
            "create function library.fresh() returns int language sql immutable as $$ select 1 $$; "
                + "notify pgrst, 'reload schema'")
        #expect(try await eventually { await server.get("rpc/fresh").status == 200 })
        await server.stop()
    }
}

/// A new configuration while the server runs, as SIGHUP brings it.
@Suite struct ReconfigurationTests {
    @Test func takesEffectWithoutARestart() async throws {
        let server = try await TestServer.start()
        #expect(try await server.get("books").json.items.count == 4)
        try server.reconfigure(["db-max-rows": "1"])
        #expect(try await eventually { try await server.get("books").json.items.count == 1 })
        try server.reconfigure(["db-schemas": "archive"])
        #expect(try await eventually { await server.get("scrolls").status == 200 })
        #expect(await server.get("books").code == "PGRST205")
        await server.stop()
    }

    @Test func oneThatDoesNotHoldChangesNothing() async throws {
        let server = try await TestServer.start()
        #expect(throws: (any Error).self) { try server.reconfigure(["jwt-secret": "short"]) }
        #expect(await server.get("rpc/caller", as: Token.ada).status == 200)
        await server.stop()
    }
}

import ApusCatalog
import Testing

@testable import ApusPostgres

@Suite(.timeLimit(.minutes(1))) struct CatalogStoreTests {
    @Test func holdsNothingUntilTheFirstReading() async throws {
        try await withDatabase("create table t (id int)") { database in
            let store = store(database)
            #expect(store.current == nil)
            var events = store.events().makeAsyncIterator()
            let running = Task { await store.run() }
            defer { running.cancel() }
            guard case .loaded(let catalog, let changed, _) = await events.next() else {
                Issue.record("not loaded")
                return
            }
            #expect(changed)
            #expect(catalog.relations[.public("t")] != nil)
            #expect(store.current?.version == catalog.version)
        }
    }

    /// Each round needs a reload of its own, so a reload that came from elsewhere cannot make the test pass.
    @Test(arguments: ["notify pgrst, 'reload schema'", "notify pgrst"])
    func reloadsWhenToldTo(notify: String) async throws {
        try await withDatabase("") { database in
            let store = store(database)
            try await running(store, database) { events in
                for round in 1...4 {
                    try await database.script("create table t\(round) (); \(notify)")
                    try await events.load { $0.relations[.public("t\(round)")] != nil }
                }
            }
        }
    }

    @Test func reloadsWhenTheShapeChanges() async throws {
        try await withDatabase(CatalogStore.eventTriggerSQL + CatalogStore.eventTriggerSQL) { database in
            let store = store(database)
            try await running(store, database) { events in
                for round in 1...3 {
                    try await database.script("create table t\(round) ()")
                    try await events.load { $0.relations[.public("t\(round)")] != nil }
                    try await database.script("drop table t\(round)")
                    try await events.load { $0.relations.isEmpty }
                }
            }
        }
    }

    @Test(arguments: [
        "grant select on t to public", "revoke select on t from public", "grant usage on schema s to public",
    ])
    func privilegesAreHeardOf(statement: String) async throws {
        try await withDatabase(CatalogStore.eventTriggerSQL) { database in
            try await database.script("create table t (); create schema s")
            var messages = database.listen([CatalogStore.ddlChannel]).makeAsyncIterator()
            #expect(await messages.next() == .reconnected)
            try await database.script(statement)
            try await database.script("notify apus_catalog, 'end'")
            guard case .message(_, let payload, _) = await messages.next() else {
                Issue.record("no message")
                return
            }
            #expect(payload == "")
        }
    }

    @Test func whatASessionHasForItselfChangesNothing() async throws {
        try await withDatabase(CatalogStore.eventTriggerSQL) { database in
            try await database.script("create materialized view m as select 1 as a")
            var messages = database.listen([CatalogStore.ddlChannel]).makeAsyncIterator()
            #expect(await messages.next() == .reconnected)
            try await database.script(
                """
                create temp table t (a serial primary key, b text default 'x' check (b <> ''));
                create index on t (b);
                alter table t add c int default 1;
                alter table t enable row level security;
                create policy p on t using (true);
                create temp table u (a int references t);
                create temp view v as table t;
                comment on table t is 'mine';
                drop policy p on t;
                drop view v;
                alter table t drop c;
                drop table u, t;
                refresh materialized view m;
                """)
            try await database.script("notify apus_catalog, 'end'")
            guard case .message(_, let payload, _) = await messages.next() else {
                Issue.record("no message")
                return
            }
            #expect(payload == "end")
        }
    }

    @Test(arguments: ["notify pgrst, 'reload config'", "notify pgrst"])
    func passesOnThatTheConfigurationIsAskedFor(notify: String) async throws {
        try await withDatabase("") { database in
            let store = store(database)
            var events = CatalogEvents(store.events())
            let running = Task { await store.run() }
            defer { running.cancel() }
            try await events.hearing(on: database, call: notify)
        }
    }

    @Test func keepsTheVersionWhenNothingChanged() async throws {
        try await withDatabase("create table t ()") { database in
            let store = store(database)
            try await running(store, database) { events in
                let first = try #require(store.current?.version)
                for _ in 1...3 {
                    store.reload()
                    try await events.load { _ in true }
                    #expect(store.current?.version == first)
                }
                try await database.script("create table u ()")
                store.reload()
                try await events.load { $0.relations[.public("u")] != nil }
                #expect(try #require(store.current?.version) > first)
            }
        }
    }

    @Test func manyRequestsBecomeOne() async throws {
        try await withDatabase("") { database in
            let store = store(database, quietPeriod: .milliseconds(100))
            try await running(store, database) { events in
                try await database.script("create table t ()")
                for _ in 0..<1_000 { store.reload() }
                try await events.load { $0.relations[.public("t")] != nil }
                try await database.script("create table u ()")
                store.reload()
                let loads = try await events.load { $0.relations[.public("u")] != nil }
                #expect(loads <= 3)
            }
        }
    }

    /// A role that may not read one of PostgreSQL's tables cannot read the catalog.
    @Test func keepsTheOldOneWhenReadingFails() async throws {
        try await withDatabase(
            """
            do $$ begin
                if not exists (select from pg_roles where rolname = 'catalog_reader') then
                    create role catalog_reader login;
                end if;
            end $$;
            create table t ();
            """
        ) { database in
            let reader = database.connected(as: "catalog_reader")
            let store = store(reader)
            try await running(store, database) { events in
                try await database.script("revoke select on pg_policy from public; create table u ()")
                store.reload()
                let fault = try await events.failure()
                #expect(fault.sqlState == "42501")
                #expect(store.current?.relations.count == 1)
                try await database.script("grant select on pg_policy to public")
                try await events.load { $0.relations.count == 2 }
                #expect(store.current?.relations.count == 2)
            }
            await reader.shutdown()
        }
    }

    @Test func readsAgainAfterItsEarsWereCutOff() async throws {
        try await withDatabase("") { database in
            let store = store(database)
            try await running(store, database) { events in
                for round in 1...3 {
                    try await database.script(
                        """
                        create table t\(round) ();
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()
                            and query ilike '%listen%'
                        """)
                    try await events.load { $0.relations[.public("t\(round)")] != nil }
                    try await events.hearing(on: database)
                }
            }
        }
    }

    @Test func theStreamEndsWithTheStore() async throws {
        try await withDatabase("") { database in
            let store = store(database)
            let events = store.events()
            let running = Task { await store.run() }
            for await case .loaded in events { break }
            let later = store.events()
            running.cancel()
            await running.value
            for await _ in later {}
        }
    }

    // MARK: - Non public

    private func store(_ database: Database, quietPeriod: Duration = .milliseconds(1)) -> CatalogStore {
        CatalogStore(
            database: database, settings: CatalogSettings(readsTimezones: false),
            logger: quiet, quietPeriod: quietPeriod)
    }

    /// Runs the store beside `body`, which begins when the store has read the database and hears `NOTIFY`.
    private func running(
        _ store: CatalogStore, _ database: Database, _ body: (inout CatalogEvents) async throws -> Void
    ) async throws {
        var events = CatalogEvents(store.events())
        let running = Task { await store.run() }
        defer { running.cancel() }
        try await events.load { _ in true }
        try await events.hearing(on: database)
        try await body(&events)
    }
}

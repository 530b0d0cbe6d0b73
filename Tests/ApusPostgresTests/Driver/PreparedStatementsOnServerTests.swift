import ApusSQL
import Testing

@testable import ApusPostgres

@Suite struct PreparedStatementsOnServerTests {
    private let inServer: SQL = "select count(*) from pg_prepared_statements"

    @Test func theOldestAreClosedOnTheServer() async throws {
        let texts = (0..<30).map { StatementText("select \($0)") }
        try await withDriver({
            $0.connections = 1
            $0.preparedStatementLimit = 10
        }) { database in
            for text in texts + texts { _ = try await database.execute(.one(text)) }
            for (index, text) in texts.enumerated() {
                #expect(try await database.execute(.one(text)).first?.int(0, 0) == index)
            }
            // One that gave way is closed with the next trip, which is this one.
            #expect(try await database.query(inServer).int(0, 0) == 10)
            #expect(database.statistics.failed == 0)
        }
    }

    @Test func aResultTypeThatChangedIsPreparedAgain() async throws {
        let text = StatementText("select * from changing")
        try await withDriver({ $0.connections = 1 }) { database in
            try await database.query("create table changing (n int)")
            try await database.query("insert into changing values (1)")
            #expect(try await database.execute(.one(text)).first?.columnCount == 1)
            try await database.query("alter table changing add m text default 'new'")
            let rows = try await database.execute(.one(text, isReadOnly: false))
            #expect(rows.first?.columnCount == 2)
            #expect(rows.first?.string(0, 1) == "new")
            #expect(try await database.query(inServer).int(0, 0) == 1)
        }
    }

    @Test func aStatementThatIsGoneIsPreparedAgain() async throws {
        let text = StatementText("select 'here'")
        try await withDriver({ $0.connections = 1 }) { database in
            _ = try await database.execute(.one(text))
            try await database.query("deallocate all")
            #expect(try await database.execute(.one(text)).first?.string(0, 0) == "here")
        }
    }

    @Test func inATransactionAStalePlanFailsAndWorksAfterwards() async throws {
        let text = StatementText("select * from changing_too")
        try await withDriver { database in
            try await database.query("create table changing_too (n int)")
            try await database.withSession { session in
                try await session.execute(.one(text))
                try await session.query("begin")
                try await session.query("alter table changing_too add m int")
                let fault = await #expect(throws: PostgresFault.self) {
                    try await session.execute(.one(text))
                }
                #expect(fault?.sqlState == "0A000")
                try await session.query("rollback")
                #expect(try await session.execute(.one(text)).first?.columnCount == 1)
            }
        }
    }

    @Test func underTwoRolesEachSeesItsOwnRows() async throws {
        let become = StatementText("select set_config('role', $1, true)")
        let text = StatementText("select owner from shared order by 1")
        try await withDriver({ $0.connections = 1 }) { database in
            try await database.withSession {
                try await $0.simpleQuery(
                    """
                    create role driver_ann; create role driver_bob; create table shared (owner text);
                    insert into shared values ('driver_ann'), ('driver_bob');
                    alter table shared enable row level security;
                    create policy own on shared using (owner = current_user);
                    grant select on shared to driver_ann, driver_bob;
                    """)
            }
            for role in ["driver_ann", "driver_bob", "driver_ann", "driver_bob"] {
                var binds = Binds()
                binds.append(.text(role))
                let trip = RoundTrip(
                    steps: [
                        .init(Statement(text: become, binds: binds), keepsRows: false),
                        .init(Statement(text: text)),
                    ], role: role, isReadOnly: true)
                let rows = try await database.execute(trip)
                #expect(rows.first?.count == 1)
                #expect(rows.first?.string(0, 0) == role)
            }
            let perRole: SQL =
                "select count(*) from pg_prepared_statements where statement like '%from shared%'"
            #expect(try await database.query(perRole).int(0, 0) == 2)
            #expect(try await database.query("select current_user").string(0, 0) == "postgres")
        }
    }

    @Test func withoutPreparationNothingIsKept() async throws {
        let text = StatementText("select $1::int")
        try await withDriver({
            $0.connections = 1
            $0.preparesStatements = false
        }) { database async throws in
            for index in 0..<3 {
                #expect(try await database.execute(.one(text, [.text("\(index)")])).first?.int(0, 0) == index)
            }
            #expect(try await database.query(inServer).int(0, 0) == 0)
        }
    }
}

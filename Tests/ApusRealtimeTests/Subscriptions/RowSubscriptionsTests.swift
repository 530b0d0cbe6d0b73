import ApusFaults
import ApusPostgres
import ApusSQL
import Testing

@testable import ApusRealtime

/// Who hears of which change.
@Suite struct RowSubscriptionsTests {
    static let ada = #"{"sub": "00000000-0000-4000-8000-000000000001", "role": "reader"}"#
    static let ben = #"{"sub": "00000000-0000-4000-8000-000000000002", "role": "reader"}"#

    /// A database, its documents and a board of subscriptions.
    struct Scene {
        let database: Database
        let table: TableAccess
        let book: AccessBook
        let board: RowSubscriptions

        static func make(_ policy: String) async throws -> Scene {
            let database = try await PolicyDatabase.make(rows: 0)
            try await database.withSession {
                try await $0.simpleQuery("create policy p on documents for select using (\(policy))")
            }
            let book = AccessBook(database: database)
            return Scene(
                database: database, table: try await book.table(schema: "public", name: "documents"),
                book: book,
                board: RowSubscriptions(database: database, book: book, searchPath: ["public"]))
        }

        func subscribe(
            _ claims: String, _ filter: [RowFilter.Condition] = [], table: String? = "documents"
        ) async throws -> UInt64 {
            try await board.add(
                RowSubscription(
                    schema: "public", table: table, kinds: [.insert, .update, .delete],
                    filter: RowFilter(filter),
                    principal: PolicyDatabase.principal(claims), comparesOldRows: true))
        }

        func row(_ values: [String: String]) -> [FeedValue] {
            table.columns.map { values[$0.name].map { .text(Array($0.utf8)[...]) } ?? .null }
        }

        /// One transaction of these changes, as the feed gives them.
        func change(
            _ changes: [(RowChange.Kind, new: [FeedValue]?, old: [FeedValue]?)], full: Bool = true
        ) -> FeedTransaction {
            let relation = PolicyDatabase.relation(table, full: full)
            return FeedTransaction(
                position: FeedPosition(epoch: 1, lsn: LSN(100)), endLSN: LSN(108), commitTime: 0, xid: 7,
                fullXID: 7,
                changes: changes.map { RowChange(kind: $0.0, relation: relation, new: $0.new, old: $0.old) })
        }
    }

    private static func heard(_ deliveries: [RowDelivery]) -> [[UInt64]] {
        deliveries.map { $0.recipients.map(\.subscription).sorted() }
    }

    @Test(arguments: ["owner_id = auth.uid()", "owner_id = auth.uid() and length(title) > 0"])
    func aRowReachesItsOwnerWhateverDecides(policy: String) async throws {
        let scene = try await Scene.make(policy)
        let ada = try await scene.subscribe(Self.ada)
        let ben = try await scene.subscribe(Self.ben)
        let all = try await scene.subscribe(Self.ada, table: nil)
        let adas = scene.row(["id": "1", "owner_id": "00000000-0000-4000-8000-000000000001", "title": "a"])
        let bens = scene.row(["id": "1", "owner_id": "00000000-0000-4000-8000-000000000002", "title": "b"])
        let deliveries = await scene.board.deliveries(of: [
            scene.change([(.insert, adas, nil), (.update, bens, adas), (.delete, nil, bens)])
        ])
        #expect(Self.heard(deliveries) == [[ada, all], [ada, ben, all], [ben]])
        let left = try #require(deliveries[1].recipients.first { $0.subscription == ada })
        #expect(left.before == .seen && left.after == .hidden)
        let entered = try #require(deliveries[1].recipients.first { $0.subscription == ben })
        #expect(entered.before == .hidden && entered.after == .seen)
        await scene.database.shutdown()
    }

    @Test func aDeletedRowOfWhichOnlyTheKeyTravelledIsShownToNobodyWhoMightNotSeeIt() async throws {
        let scene = try await Scene.make("owner_id = auth.uid() or id = 5")
        let ada = try await scene.subscribe(Self.ada)
        let deliveries = await scene.board.deliveries(of: [
            scene.change(
                [(.delete, nil, scene.row(["id": "4"])), (.delete, nil, scene.row(["id": "5"]))], full: false)
        ])
        #expect(deliveries.flatMap(\.recipients).filter { $0.before == .seen }.map(\.subscription) == [ada])
        await scene.database.shutdown()
    }

    @Test func callersAreToldApartByTheClaimsThatPoliciesReadOnly() async throws {
        let scene = try await Scene.make("owner_id = (auth.jwt() ->> 'sub')::uuid")
        for session in 1...5 {
            let claims =
                #"{"sub": "00000000-0000-4000-8000-000000000001", "role": "reader", "n": \#(session)}"#
            _ = try await scene.subscribe(claims)
        }
        #expect(await scene.board.audienceCount == 1)
        _ = try await scene.subscribe(Self.ben)
        #expect(await scene.board.audienceCount == 2)
        await scene.database.shutdown()
    }

    @Test func aPolicyThatRaisesSilencesNobodyElse() async throws {
        let scene = try await Scene.make("(auth.jwt() ->> 'sub')::uuid = owner_id or 1 / level > 0")
        let broken = try await scene.subscribe(#"{"sub": "no uuid", "role": "reader"}"#)
        let ada = try await scene.subscribe(Self.ada)
        let row = scene.row(["id": "1", "owner_id": "00000000-0000-4000-8000-000000000001", "level": "2"])
        let bad = scene.row(["id": "2", "owner_id": "00000000-0000-4000-8000-000000000001", "level": "1"])
        let deliveries = await scene.board.deliveries(of: [
            scene.change([(.insert, row, nil), (.insert, bad, nil)])
        ])
        #expect(deliveries.count == 2)
        for delivery in deliveries {
            #expect(delivery.recipients.first { $0.subscription == ada }?.after == .seen)
            #expect(delivery.recipients.first { $0.subscription == broken }?.fault?.code == "22P02")
        }
        await scene.database.shutdown()
    }

    @Test func filtersAreReadAsPostgreSQLReadsThem() async throws {
        let scene = try await Scene.make("true")
        let plain = try await scene.subscribe(Self.ada, [.init(column: "team_id", .compare(.equal, "7"))])
        let odd = try await scene.subscribe(
            Self.ada, [.init(column: "price", .compare(.greaterOrEqual, " 1e1 "))])
        let like = try await scene.subscribe(Self.ada, [.init(column: "title", .pattern(.ilike, "A%"))])
        let some = try await scene.subscribe(
            Self.ada, [.init(column: "mood", isNegated: true, .isIn(["sad"]))])
        let row = scene.row(["id": "1", "team_id": "7", "price": "10", "title": "abc", "mood": "calm"])
        let other = scene.row(["id": "2", "team_id": "8", "price": "9", "title": "b", "mood": "sad"])
        let deliveries = await scene.board.deliveries(of: [
            scene.change([(.insert, row, nil), (.insert, other, nil)])
        ])
        #expect(Self.heard(deliveries) == [[plain, odd, like, some]])
        await #expect(throws: Fault.self) {
            try await scene.subscribe(Self.ada, [.init(column: "price", .compare(.equal, "much"))])
        }
        await #expect(throws: Fault.self) {
            try await scene.subscribe(Self.ada, [.init(column: "nothing", .isNull)])
        }
        await scene.database.shutdown()
    }

    @Test func aNewMembershipCountsFromItsTransactionOn() async throws {
        let scene = try await Scene.make(
            "exists (select from members m where m.team_id = documents.team_id and m.user_id = auth.uid())")
        let ada = try await scene.subscribe(Self.ada)
        let row = scene.row(["id": "1", "team_id": "77"])
        #expect(await scene.board.deliveries(of: [scene.change([(.insert, row, nil)])]).isEmpty)
        _ = try await scene.database.query(
            "insert into members values ('00000000-0000-4000-8000-000000000001', 77, 1, null)")
        let members = try await scene.book.table(schema: "public", name: "members")
        let joined = FeedTransaction(
            position: FeedPosition(epoch: 1, lsn: LSN(200)), endLSN: LSN(208), commitTime: 0, xid: 8,
            fullXID: 8,
            changes: [.init(kind: .insert, relation: PolicyDatabase.relation(members), new: [], old: nil)])
        let deliveries = await scene.board.deliveries(of: [joined, scene.change([(.insert, row, nil)])])
        #expect(Self.heard(deliveries) == [[ada]])
        await scene.database.shutdown()
    }

    @Test func privilegesComeBeforePolicies() async throws {
        let scene = try await Scene.make("true")
        await #expect(throws: Fault.self) {
            try await scene.board.add(
                RowSubscription(
                    schema: "public", table: "secrets", kinds: [.insert],
                    principal: PolicyDatabase.principal(Self.ada)))
        }
        _ = try await scene.database.query("revoke select on documents from reader")
        _ = try await scene.database.query("grant select (id, title) on documents to reader")
        await scene.book.reset()
        _ = try await scene.subscribe(Self.ada)
        let deliveries = await scene.board.deliveries(of: [
            scene.change([(.insert, scene.row(["id": "1"]), nil)])
        ])
        let columns = try #require(deliveries.first?.recipients.first?.columns)
        let readable = zip(scene.table.columns, columns).filter { $1 }.map(\.0.name)
        #expect(readable == ["id", "title"])
        await #expect(throws: Fault.self) {
            try await scene.subscribe(Self.ada, [.init(column: "team_id", .compare(.equal, "7"))])
        }
        await scene.database.shutdown()
    }

    /// A change is looked up and not compared with every subscription.
    @Test(arguments: [100, 100_000])
    func matchingDoesNotGrowWithTheNumberOfSubscriptions(_ count: Int) async throws {
        let scene = try await Scene.make("true")
        for number in 0..<count {
            _ = try await scene.subscribe(
                Self.ada, [.init(column: "team_id", .compare(.equal, "\(number)"))])
        }
        let changes = (0..<2_000).map { number in
            scene.change([(.insert, scene.row(["id": "1", "team_id": "\(number % 100)"]), nil)])
        }
        #expect(await scene.board.deliveries(of: changes).count == 2_000)
        #expect(await scene.board.comparisons == 2_000)
        await scene.database.shutdown()
    }

    @Test func aTableThatWasMadeAnewIsHeardBeforeTheCatalogIsReadAgain() async throws {
        let scene = try await Scene.make("true")
        let ada = try await scene.subscribe(Self.ada)
        for turn in 1...2 {
            try await scene.database.withSession {
                try await $0.simpleQuery(
                    """
                    alter table documents rename to documents_\(turn);
                    create table documents (like documents_\(turn) including all);
                    grant select on documents to public
                    """)
            }
            let fresh = try await AccessBook(database: scene.database).table(
                schema: "public", name: "documents")
            #expect(fresh.oid != scene.table.oid)
            let anew = Scene(
                database: scene.database, table: fresh, book: scene.book, board: scene.board)
            let deliveries = await scene.board.deliveries(of: [
                anew.change([(.insert, new: anew.row([:]), old: nil)])
            ])
            #expect(Self.heard(deliveries) == [[ada]])
        }
    }

    @Test func aTableThatWasDroppedAndMadeAnewCanBeFollowedAtOnce() async throws {
        let scene = try await Scene.make("true")
        _ = try await scene.book.table(schema: "public", name: "documents")
        try await scene.database.withSession {
            try await $0.simpleQuery(
                """
                create table made (like documents including all);
                drop table documents cascade;
                alter table made rename to documents;
                grant select on documents to public
                """)
        }
        let ada = try await scene.subscribe(Self.ada)
        let fresh = try await scene.book.table(schema: "public", name: "documents")
        let anew = Scene(database: scene.database, table: fresh, book: scene.book, board: scene.board)
        let deliveries = await scene.board.deliveries(of: [
            anew.change([(.insert, new: anew.row([:]), old: nil)])
        ])
        #expect(Self.heard(deliveries) == [[ada]])
    }
}

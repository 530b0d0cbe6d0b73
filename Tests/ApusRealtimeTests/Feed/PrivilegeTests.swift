import ApusFaults
import ApusPostgres
import ApusRealtime
import ApusTestSupport
import Testing

/// What the feed needs, and what it says when it is not there.
@Suite struct PrivilegeTests {
    @Test func `a role without REPLICATION is told so`() async throws {
        try await FeedDatabase.with { database in
            try await database.run("create role \(database.name)_poor login")
            let node = FeedNode(database.settings { $0.connectionString += " user=\(database.name)_poor" })
            #expect(await node.fault()?.code == "APUS602")
            // The privilege comes; the feed begins by itself.
            try await database.run(
                """
                alter role \(database.name)_poor replication;
                grant usage on schema apus to \(database.name)_poor;
                grant select, insert, update on apus.feed_epochs to \(database.name)_poor;
                create publication apus for table items;
                """)
            await node.running()
            try await database.insert(1...1)
            await node.heard.until { $0.ids == [1] }
            #expect(node.heard.ids == [1])
            await node.stop()
        }
    }

    @Test func `a role without the table of epochs is told so`() async throws {
        try await FeedDatabase.with { database in
            try await database.run(
                "create role \(database.name)_half login replication; create publication apus for table items"
            )
            let node = FeedNode(database.settings { $0.connectionString += " user=\(database.name)_half" })
            #expect(await node.fault()?.code == "APUS603")
            await node.stop()
        }
    }

    @Test func `the owner of tables publishes those`() async throws {
        try await FeedDatabase.with { database in
            let role = "\(database.name)_owner"
            try await database.run(
                """
                create role \(role) login replication;
                grant create on database \(database.name) to \(role);
                grant usage on schema apus to \(role);
                grant select, insert, update on apus.feed_epochs to \(role);
                create table others (id int primary key);
                alter table items owner to \(role);
                """)
            let node = FeedNode(database.settings { $0.connectionString += " user=\(role)" })
            await node.running()
            try await database.run("insert into others values (1); insert into items (id) values (2)")
            await node.heard.until { $0.ids == [2] }
            #expect(node.heard.ids == [2])
            let oid = UInt32(try await database.value("select 'others'::regclass::oid") ?? "") ?? 0
            #expect(!node.feed.coverage.covers(oid))
            await node.stop()
            try await database.run("reassign owned by \(role) to postgres")
        }
    }

    @Test func `a server that does not write enough to its log is named`() async throws {
        let cluster = try await ThrowawayCluster.start(settings: ["wal_level": "replica"])
        try await FeedDatabase.with(on: cluster) { database in
            let node = FeedNode(database.settings())
            #expect(await node.fault()?.code == "APUS601")
            #expect(node.feed.state.reason?.contains("wal_level = replica") == true)
            await node.stop()
        }
        try await cluster.stop(.immediate)
    }
}

extension FeedNode {
    /// Why it does not run.
    func fault() async -> Fault? {
        var fault: Fault?
        _ = try? await eventually {
            if case .unavailable(let reason) = feed.state { fault = reason }
            return fault != nil
        }
        return fault
    }
}

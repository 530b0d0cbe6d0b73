import ApusTestSupport
import Foundation
import Testing

/// kill -9 at the worst moments of a write with an `Idempotency-Key`: sent again, it has happened once.
@Suite struct IdempotencyCrashTests {
    private static let migration = """
        create table payments (id int generated always as identity, amount int not null);
        grant select, insert on payments to anon;
        """

    /// A server that reaches its database through a proxy, which can stop the world at a byte.
    private struct Rig {
        let server: ServerProcess
        let proxy: DroppingProxy
        let address: String

        static func make(_ name: String) async throws -> Rig {
            let cluster = try await ThrowawayCluster.shared.value
            let proxy = try DroppingProxy(to: cluster.socketPath)
            try await psql(cluster.conninfo(), "create database \(name)")
            let server = try await ServerProcess.start(
                migration: migration,
                [
                    "--db-uri", proxy.conninfo(database: name, user: "authenticator"),
                    "--db-admin-uri", cluster.conninfo(database: name),
                ])
            return Rig(server: server, proxy: proxy, address: cluster.conninfo(database: name))
        }

        func pay() async throws -> Curl.Answer {
            try await Curl.get(
                "\(server.url)/rest/v1/payments?select=amount",
                [
                    "-i", "-X", "POST", "-H", "Idempotency-Key: 7a51", "-H", "Prefer: return=representation",
                    "-H", "Content-Type: application/json", "-d", #"{"amount": 5}"#,
                ])
        }

        /// As the database has it, past the proxy.
        func payments() async throws -> String { try await psql(address, "select count(*) from payments") }

        /// Sends a payment, kills the server when the proxy holds it, and starts the server again.
        ///
        /// - Parameter earlier: what only the payment's own transaction holds; the server has others.
        func crash(
            _ direction: DroppingProxy.Direction, at mark: String, after earlier: String
        ) async throws {
            proxy.withhold(direction, from: mark, after: earlier)
            let doomed = Task { try await pay() }
            #expect(try await eventually { proxy.hasWithheld })
            server.signal(SIGKILL)
            #expect(await server.end() == -SIGKILL)
            #expect(try await doomed.value.status == 0, "the client got no answer")
            proxy.withhold(direction, from: nil)
            proxy.cut()
        }

        func restart() async throws {
            try server.launch()
            try await server.ready()
        }
    }

    @discardableResult
    private static func psql(_ address: String, _ statement: String) async throws -> String {
        let outcome = try await Program.run(
            executable: "/usr/bin/env", ["psql", address, "-AtXqc", statement], in: "/tmp")
        guard outcome.status == 0 else { throw Failure(outcome.errors) }
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func betweenCommitAndAnswer() async throws {
        let rig = try await Rig.make("crash_after_commit")
        // The server's word that it has committed (CommandComplete) never reaches Apus.
        try await rig.crash(.toClient, at: "COMMIT\0", after: #"{"amount":5}"#)
        #expect(try await rig.payments() == "1", "the payment was made")
        try await rig.restart()
        let again = try await rig.pay()
        #expect(again.status == 201, "\(again.body)")
        #expect(again.body.contains("Idempotency-Replayed: true"), "\(again.body)")
        #expect(again.body.hasSuffix(#"[{"amount":5}]"#))
        #expect(try await rig.payments() == "1", "and was not made again")
    }

    @Test func beforeCommit() async throws {
        let rig = try await Rig.make("crash_before_commit")
        // All has been done but the commit, which never reaches PostgreSQL.
        try await rig.crash(.toServer, at: "commit\0", after: #"{"amount": 5}"#)
        #expect(
            try await eventually { try await rig.payments() == "0" }, "nothing was paid")
        try await rig.restart()
        let again = try await rig.pay()
        #expect(again.status == 201, "\(again.body)")
        #expect(!again.body.contains("Idempotency-Replayed"))
        #expect(try await rig.payments() == "1")
        let third = try await rig.pay()
        #expect(third.body.contains("Idempotency-Replayed: true"), "\(third.body)")
        #expect(try await rig.payments() == "1")
    }
}

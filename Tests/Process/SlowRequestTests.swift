import ApusTestSupport
import Foundation
import Testing

/// What the log tells of a slow request.
@Suite struct SlowRequestTests {
    @Test func lineHasShapeAndPlanButNoValue() async throws {
        let server = try await ServerProcess.start(
            migration: Fixture.migration, ["--log-slow-request", "150", "--db-anon-role", "service_role"])
        func nap(_ seconds: String) async throws {
            let answer = try await Curl.get("\(server.url)/rest/v1/rpc/nap?seconds=\(seconds)")
            #expect(answer.status == 405 || answer.status == 200, "\(answer.body)")
        }
        func lines() -> [[String: String]] { slowRequests(of: server, route: "call nap") }
        try await nap("0.2000017")
        try #require(try await eventually { lines().count == 1 })
        try await nap("0.2000018")
        try #require(try await eventually { lines().count == 2 })
        let (first, second) = (lines()[0], lines()[1])
        #expect(first["plan"]?.count == 16, "\(first)")
        #expect(first["shape"]?.count == 16)
        #expect(Double(first["cost"] ?? "").map { $0 > 0 } == true)
        #expect(first["statement"]?.contains("nap") == true)
        #expect(second["plan"] == first["plan"])
        #expect(second["shape"] == first["shape"])
        #expect(second["statement"] == nil, "told once, then named by its shape")
        #expect(!server.log.contains("0.200001"), "values do not belong into a log")
    }

    /// A batch is told by the request that took longest: whether it succeeds, has a key, or fails.
    @Test func batchIsToldByItsSlowestRequest() async throws {
        let server = try await ServerProcess.start(
            migration: Fixture.migration,
            ["--log-slow-request", "150", "--db-anon-role", "service_role", "--db-statement-timeout", "0"])
        let read = #"{"path": "/things?id=eq.987001"}"#
        let pass = #"{"method": "POST", "path": "/rpc/pass"}"#
        let dangling = #"{"path": "/things?id=eq.{/none/body}"}"#
        #expect(try await slowBatch(server, [read, pass]) == 200)
        #expect(try await slowBatch(server, [read, pass], ["-H", "Idempotency-Key: slow-987002"]) == 200)
        #expect(try await slowBatch(server, [read, pass, dangling]) == 400)

        func lines() -> [[String: String]] { slowRequests(of: server, route: "batch") }
        try #require(try await eventually { lines().count == 3 }, "\(server.log)")
        #expect(lines().map { $0["status"] } == ["200", "200", "400"])
        let first = lines()[0]
        #expect(first["statement"]?.contains("pass") == true, "\(first)")
        for line in lines() {
            #expect(line["plan"]?.count == 16 && line["plan"] == first["plan"], "\(line)")
            #expect(line["shape"]?.count == 16 && line["shape"] == first["shape"], "\(line)")
            #expect(Double(line["milliseconds"] ?? "").map { $0 >= 150 } == true)
        }
        #expect(!lines().description.contains("98700"), "values do not belong into a log")
    }

    // MARK: - Non public

    /// Sends a batch in which `pass` takes longer than all that comes before it, and returns the status.
    private func slowBatch(
        _ server: ServerProcess, _ requests: [String], _ options: [String] = []
    ) async throws -> Int {
        let gate = try await Fixture.gate(server)
        let body = "[\(requests.joined(separator: ","))]"
        async let answer = Curl.get(
            "\(server.url)/rest/v1/$batch",
            ["-H", "Content-Type: application/json", "-d", body] + options)
        // By PostgreSQL's own clock: until now it has waited for longer than what came before has taken.
        let isSlowest = """
            select count(*) from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'
            and clock_timestamp() - query_start > query_start - xact_start + interval '200 ms'
            """
        #expect(try await eventually { try await server.sql(isSlowest) == "1" })
        gate.letGo()
        return try await answer.status
    }

    private func slowRequests(of server: ServerProcess, route: String) -> [[String: String]] {
        server.log.split(separator: "\n").compactMap { line in
            let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard entry?["msg"] as? String == "slow request" else { return nil }
            let told = entry?["metadata"] as? [String: String]
            // On a busy machine others are slow, too.
            return told?["route"] == route ? told : nil
        }
    }
}

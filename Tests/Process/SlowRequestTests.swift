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
        func lines() -> [[String: String]] {
            server.log.split(separator: "\n").compactMap { line in
                let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                guard entry?["msg"] as? String == "slow request" else { return nil }
                let told = entry?["metadata"] as? [String: String]
                // On a busy machine others are slow, too.
                return told?["route"] == "call nap" ? told : nil
            }
        }
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
}

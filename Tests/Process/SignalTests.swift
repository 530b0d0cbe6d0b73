import ApusTestSupport
import Foundation
import Testing

/// Signals and crashes: what is in flight is answered, what is stored stays.
@Suite struct SignalTests {
    @Test func stopAnswersWhatIsInFlightAndRefusesTheRest() async throws {
        // A connection for each request, so that they are all in flight until the gate opens.
        let server = try await ServerProcess.start(migration: Fixture.migration, ["--db-pool", "25"])
        let gate = try await Fixture.gate(server)
        let idle = try Socket(port: server.port)
        idle.write("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await offThread { idle.read(until: "live\"}") }.hasPrefix("HTTP/1.1 200"))

        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                let socket = try Socket(port: server.port)
                socket.write("GET /rest/v1/rpc/pass HTTP/1.1\r\nHost: a\r\n\r\n")
                group.addTask { await offThread { socket.readToEnd() } }
            }
            #expect(
                try await eventually {
                    let metrics = try await Curl.get("\(server.url)/metrics").body
                    return value(of: "apus_db_round_trips_in_flight", in: metrics)
                        + value(of: "db_client_connection_pending_requests", in: metrics) == 20
                })
            server.signal(SIGTERM)
            // An idle connection is closed at once.
            #expect(await offThread { idle.readToEnd() }.isEmpty)
            #expect(try await eventually { (try? Socket(port: server.port)) == nil })
            gate.letGo()
            for try await answer in group { #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)") }
        }
        #expect(await server.end() == 0)
        #expect(server.postmaster == nil, "a clean stop of PostgreSQL removes its lock file")
        #expect(!server.log.contains("Cannot schedule tasks"), "\(server.log)")
    }

    /// The drain is over long before the wait would be: who waits is answered, and not cut off.
    @Test func whoWaitsForAChangeIsAnsweredBeforeTheEnd() async throws {
        let server = try await ServerProcess.start(
            migration: Fixture.migration, ["--server-drain-timeout", "5", "--live-max-wait", "60"])
        let url = "\(server.url)/rest/v1/things?id=eq.7&select=name"
        var tag: String?
        #expect(
            try await eventually {
                let lines = try await Curl.get(url, ["-i"]).body.split(whereSeparator: \.isNewline)
                tag = lines.first { $0.lowercased().hasPrefix("etag: ") }.map { String($0.dropFirst(6)) }
                // One that only says what the answer was is from before the feed, and nobody waits for a change without it.
                return tag.map { !$0.hasPrefix("W/\"0-") } == true
            })
        let known = try #require(tag)
        async let waiting = Curl.get(
            url, ["--max-time", "60", "-H", "If-None-Match: \(known)", "-H", "Prefer: wait=50"])
        #expect(
            try await eventually {
                value(
                    of: "http_server_open_connections", in: try await Curl.get("\(server.url)/metrics").body)
                    == 2
            })
        server.signal(SIGTERM)
        #expect(try await waiting.status == 304)
        #expect(await server.end() == 0)
    }

    private func value(of metric: String, in metrics: String) -> Int {
        let line = metrics.split(separator: "\n").first { $0.hasPrefix(metric + " ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }

    @Test func interruptStopsToo() async throws {
        let server = try await ServerProcess.start()
        server.signal(SIGINT)
        #expect(await server.end() == 0)
        #expect(server.postmaster == nil)
    }

    @Test func startAfterACrashTakesOver() async throws {
        let server = try await ServerProcess.start(migration: Fixture.migration)
        let postmaster = server.postmaster
        server.signal(SIGKILL)
        #expect(await server.end() == -SIGKILL)
        #expect(kill(try #require(postmaster), 0) == 0, "PostgreSQL outlives a crash of Apus")
        try server.launch()
        try await server.ready()
        #expect(server.postmaster == postmaster)
        #expect(
            try await Curl.get("\(server.url)/rest/v1/things?id=eq.7&select=name").body
                == #"[{"name":"thing 7"}]"#)
        server.signal(SIGTERM)
        #expect(await server.end() == 0)
        #expect(server.postmaster == nil)
    }

    @Test func crashOfPostgreSQLUnderLoadIsSurvived() async throws {
        let server = try await ServerProcess.start(
            migration: Fixture.migration, ["--db-pool-acquisition-timeout", "1"])
        let postmaster = try #require(server.postmaster)
        let load = Task {
            var statuses: Set<Int> = []
            while !Task.isCancelled {
                statuses.insert(try await Curl.get("\(server.url)/rest/v1/things?id=eq.1").status)
            }
            return statuses
        }
        kill(postmaster, SIGKILL)
        #expect(
            try await eventually { try await Curl.get("\(server.url)/rest/v1/things?id=eq.1").status != 200 })
        #expect(
            try await eventually {
                try await Curl.get("\(server.url)/rest/v1/things?id=eq.1").status == 200
            })
        #expect(try await eventually { try await Curl.get("\(server.url)/health/ready").status == 200 })
        load.cancel()
        let statuses = try await load.value
        #expect(statuses.isSubset(of: [200, 503, 504]), "\(statuses)")
        #expect(server.isRunning)
        #expect(server.postmaster != postmaster)
    }

    @Test func hangupReadsTheConfigurationAgain() async throws {
        let file = try Scratch.directory() + "/apus.yaml"
        defer { Scratch.remove((file as NSString).deletingLastPathComponent) }
        func configure(_ text: String) throws {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        try configure("db-max-rows: 3\n")
        let server = try await ServerProcess.start(migration: Fixture.migration, ["--config", file])
        func rows() async throws -> Int {
            try await Curl.get("\(server.url)/rest/v1/things?select=id").body.components(separatedBy: "id")
                .count - 1
        }
        #expect(try await rows() == 3)
        try configure("db-max-rows: 5\n")
        server.signal(SIGHUP)
        #expect(try await eventually { try await rows() == 5 })
        try configure("db-max-rowz: 7\n")
        server.signal(SIGHUP)
        #expect(try await eventually { server.log.contains("the old one stays") })
        #expect(server.isRunning)
        #expect(try await rows() == 5)
    }

    @Test func brokenPipeIsNotTheEnd() async throws {
        let server = try await ServerProcess.start(migration: Fixture.migration)
        server.signal(SIGPIPE)
        for _ in 0..<20 {
            // Gone before the answer: what is written for it meets a closed connection.
            let socket = try Socket(port: server.port)
            socket.write("GET /rest/v1/things HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(try await Curl.get("\(server.url)/rest/v1/things?id=eq.1").status == 200)
        #expect(server.isRunning)
    }

    @Test func secondServerOnTheSameDataIsRefused() async throws {
        let server = try await ServerProcess.start()
        let outcome = try await server.apus("serve", "--server-port", "0")
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("APUS102"), "\(outcome.errors)")
        #expect(try await Curl.get("\(server.url)/health/ready").status == 200)
    }

    @Test func portThatIsTakenIsNamedAndLeavesNoDatabaseBehind() async throws {
        let server = try await ServerProcess.start()
        let other = try ServerProcess()
        let outcome = try await other.apus("serve", "--server-port", "\(server.port)")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("APUS010"), "\(outcome.errors)")
        #expect(outcome.errors.contains("\(server.port)"))
        #expect(other.postmaster == nil)
    }

    @Test func stopWhileTheDatabaseIsAway() async throws {
        let server = try ServerProcess(["--db-uri", "host=/nonexistent dbname=none"])
        try server.launch()
        #expect(
            try await eventually {
                try await Curl.get("\(server.url)/health/live").status == 200
            })
        #expect(try await Curl.get("\(server.url)/health/ready").status == 503)
        server.signal(SIGTERM)
        #expect(await server.end() == 0)
    }
}

/// Runs what blocks off Swift's own threads.
func offThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

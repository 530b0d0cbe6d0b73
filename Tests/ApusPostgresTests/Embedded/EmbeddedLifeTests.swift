import Testing

@testable import ApusPostgres

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Starting, stopping, and what happens after a crash; each test on a real server of its own.
@Suite("The embedded PostgreSQL lives")
struct EmbeddedLifeTests {
    private let scratch: EmbeddedScratch

    init() throws { scratch = try EmbeddedScratch() }

    @Test("A new cluster has the settings that Apus relies on, and keeps its data over a restart")
    func startsServesAndStops() async throws {
        try await scratch.withServer { server, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            #expect(connection.value("show wal_level") == "logical")
            #expect(connection.value("show data_checksums") == "on")
            #expect(connection.value("show fsync") == "on")
            #expect(connection.value("show listen_addresses") == "")
            #expect(connection.value("show server_encoding") == "UTF8")
            _ = connection.value("create table kept as select 42 as a")
            #expect(connection.value("select a from kept") == "42")
            #expect(try await server.start() == place, "starting twice is starting once")
            #expect(EmbeddedPostgres.running(inDataDirectory: scratch.data) == place)
            let run = try #require(LocalFiles.status(place.socketDirectory))
            #expect(run.permissions == 0o700)
        }
        #expect(PlainConnection("host='\(scratch.data)/run' user=postgres") == nil)
        #expect(EmbeddedPostgres.running(inDataDirectory: scratch.data) == nil)
        let clean = try #require(scratch.text("log/postgres.log"))
        #expect(clean.contains("database system is shut down"))

        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            #expect(connection.value("select a from kept") == "42")
        }
        let log = try #require(scratch.text("log/postgres.log"))
        #expect(!log.contains("not properly shut down"))
    }

    @Test("A second server on the same directory is refused and told who holds it")
    func secondRefuses() async throws {
        try await scratch.withServer { _, place in
            let fault = await #expect(throws: EmbeddedFault.self) { try await scratch.server().start() }
            guard case .directoryInUse(_, let pid, let since) = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(pid == getpid())
            #expect(since?.hasSuffix("Z") == true)
            #expect(PlainConnection(place.conninfo()) != nil, "the first goes on")
        }
    }

    @Test("A server that a crashed Apus left behind is taken over as it runs, and stopped at the end")
    func takesOver() async throws {
        let began = try await leaveBehind()
        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            #expect(connection.value("select pg_postmaster_start_time()") == began)
        }
        #expect(PlainConnection("host='\(scratch.data)/run' user=postgres") == nil)
    }

    @Test("A server left behind with other settings is restarted")
    func restartsWithNewSettings() async throws {
        let began = try await leaveBehind()
        try LocalFiles.write("# yesterday's settings\n", to: scratch.data + "/apus.conf")
        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            #expect(connection.value("select pg_postmaster_start_time()") != began)
            #expect(connection.value("show wal_level") == "logical")
        }
    }

    @Test(
        "A pid file that lies does not keep PostgreSQL from starting",
        arguments: ["", "nonsense\n", "1234567\n", "self"])
    func survivesPidFile(_ content: String) async throws {
        try await scratch.withServer { _, _ in }
        let directory = try DataDirectory.make(scratch.data)
        let account = try ServerAccount.forCluster(directory.cluster)
        let file = directory.cluster + "/postmaster.pid"
        // A process that runs, is nobody's server, and got the number of one.
        let text =
            content == "self"
            ? "\(getpid())\n\(directory.cluster)\n1\n5432\n\(directory.run)\n\n0\nready\n" : content
        try LocalFiles.write(text, to: file, mode: 0o600)
        try account.own(file)
        #expect(EmbeddedPostgres.running(inDataDirectory: scratch.data) == nil)
        try await scratch.withServer { _, place in
            #expect(PlainConnection(place.conninfo()) != nil)
        }
    }

    @Test("Stopping ends running statements and open transactions, and the data are safe")
    func stopsUnderLoad() async throws {
        var busy: [PlainConnection] = []
        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            _ = connection.value("create table t (a int)")
            for _ in 0..<8 {
                let one = try #require(PlainConnection(place.conninfo()))
                _ = one.value("begin")
                _ = one.value("insert into t values (1)")
                #expect(one.send("select pg_sleep(600)"))
                busy.append(one)
            }
        }
        let log = try #require(scratch.text("log/postgres.log"))
        #expect(log.contains("database system is shut down"), "not told to stop at once")
        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            #expect(connection.value("select count(*) from t") == "0")
        }
    }

    @Test("Stopping completes although the task that asks for it is cancelled")
    func stopsWhileCancelled() async throws {
        let server = scratch.server()
        let place = try await server.start()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try await server.stop()
        }
        task.cancel()
        try await task.value
        #expect(PlainConnection(place.conninfo()) == nil)
    }

    @Test("A server that dies is started again")
    func startsAgain() async throws {
        try await scratch.withServer { server, place in
            let supervision = Task { await server.supervise() }
            defer { supervision.cancel() }
            let record = Postmaster.Record(ofCluster: LocalFiles.realPath(scratch.data + "/postgres") ?? "")
            guard case .server(let postmaster) = record else {
                Issue.record("no postmaster.pid")
                return
            }
            let first = try #require(PlainConnection(place.conninfo()))
            let began = first.value("select pg_postmaster_start_time()")
            #expect(kill(postmaster.pid, SIGKILL) == 0)
            let second = try #require(await connected(to: place, within: .seconds(30)))
            #expect(second.value("select pg_postmaster_start_time()") != began)
        }
    }

    // MARK: - Non public

    /// Starts a server and forgets it without stopping it, as a crash does: the lock is free, PostgreSQL runs.
    ///
    /// - Returns: when the server began.
    private func leaveBehind() async throws -> String {
        let place = try await scratch.server().start()
        let connection = try #require(PlainConnection(place.conninfo()))
        return try #require(connection.value("select pg_postmaster_start_time()"))
    }

    private func connected(to place: EmbeddedConnection, within patience: Duration) async -> PlainConnection?
    {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            if let connection = PlainConnection(place.conninfo()) { return connection }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }
}

import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Starts, finds and stops the PostgreSQL server of one cluster. The caller holds the data directory's lock.
struct ClusterServer: Sendable {
    var directory: DataDirectory
    var programs: PostgresPrograms
    var account: ServerAccount
    var logger: Logger

    /// How long open transactions are rolled back and the last checkpoint is written before PostgreSQL is
    /// told to stop at once, which is safe but makes the next start recover.
    var patience: Duration = .seconds(20)

    var log: ServerLog { ServerLog(path: directory.log) }

    private var processes: ClusterProcesses {
        ClusterProcesses(cluster: directory.cluster, account: account)
    }

    func isRunning(_ postmaster: Postmaster) -> Bool { processes.includes(postmaster.pid) }

    // MARK: - Start

    /// A server that accepts connections: the one that a crashed Apus left behind, if there is one and it
    /// runs on today's settings and programs, or a new one.
    func start() async throws(EmbeddedFault) -> Postmaster {
        let socketDirectory = try SocketDirectory.make(for: directory, account: account)
        let settings = ServerSettings.text(socketDirectory: socketDirectory, programs: programs)
        let isCurrent = LocalFiles.read(directory.settingsFile) == settings
        if let found = try await takeOver() {
            if isCurrent, found.socketDirectory == socketDirectory {
                logger.notice("took over a running PostgreSQL", metadata: ["pid": "\(found.pid)"])
                return found
            }
            try await stop(found)
        }
        if !isCurrent { try LocalFiles.write(settings, to: directory.settingsFile) }
        try log.make(for: account)
        log.cutIfLong()
        return try await launch()
    }

    private func launch() async throws(EmbeddedFault) -> Postmaster {
        let offset = log.length
        // Recovery after a crash may take long; a server that dies while it starts ends the wait at once.
        let (status, output) = try await programs.run(
            "pg_ctl",
            [
                "start", "--pgdata", directory.cluster, "--log", log.path, "--silent", "--wait", "--timeout",
                "86400",
            ],
            as: account)
        if status == 0, case .server(let postmaster) = Postmaster.Record(ofCluster: directory.cluster) {
            return postmaster
        }
        if Task.isCancelled, case .server(let postmaster) = Postmaster.Record(ofCluster: directory.cluster) {
            try await stop(postmaster)
        }
        let reason = log.reason(from: offset)
        if (reason + output).contains("No space left on device") {
            throw .diskFull(
                path: directory.home, free: LocalFiles.freeBytes(at: directory.home) ?? 0, needed: 64 << 20)
        }
        throw .startFailed(reason: Task.isCancelled ? "the start was cancelled" : reason, log: log.path)
    }

    // MARK: - Take over

    /// The server that runs on the cluster, when it is ready; nil if none runs. A file that a server left
    /// behind when it died, and that would keep a new one from starting, is removed.
    private func takeOver() async throws(EmbeddedFault) -> Postmaster? {
        var attempt = 0
        while true {
            let record = Postmaster.Record(ofCluster: directory.cluster)
            guard case .server(let found) = record, isRunning(found) else {
                try await clear(record)
                return nil
            }
            if found.status == "ready" || found.status == "standby" { return found }
            try await pause(attempt)
            attempt += 1
        }
    }

    /// Sees to it that nobody works on the cluster and that PostgreSQL will not believe so.
    private func clear(_ record: Postmaster.Record) async throws(EmbeddedFault) {
        // Children of a server that was killed notice it and end by themselves.
        for attempt in 0..<200 {
            guard let strays = processes.all(), !strays.isEmpty else { break }
            guard attempt < 199 else { throw .strayProcesses(path: directory.cluster, pids: strays) }
            try await pause(attempt)
        }
        let isInTheWay =
            switch record {
            case .absent: false
            case .damaged: true
            // PostgreSQL sees for itself that a process is gone, and checks more than that.
            case .server(let gone): kill(gone.pid, 0) == 0 || errno == EPERM
            }
        // Removed only where the system told that no process works here.
        if isInTheWay, processes.all() != nil {
            logger.warning("removing a stale postmaster.pid", metadata: ["cluster": "\(directory.cluster)"])
            unlink(directory.cluster + "/postmaster.pid")
        }
    }

    // MARK: - Stop

    /// Stops a server: fast (PostgreSQL, "Shutting Down the Server"), then at once. Not to be cancelled.
    func stop(_ postmaster: Postmaster) async throws(EmbeddedFault) {
        for (signal, patience) in [(SIGINT, patience), (SIGQUIT, .seconds(5))] {
            guard isRunning(postmaster) else { return }
            if signal == SIGQUIT {
                logger.warning("PostgreSQL takes long to stop; told to stop at once")
            }
            kill(postmaster.pid, signal)
            if await isGone(postmaster, within: patience) { return }
        }
        throw .stopTimedOut(pid: postmaster.pid)
    }

    private func isGone(_ postmaster: Postmaster, within patience: Duration) async -> Bool {
        let deadline = ContinuousClock.now + patience
        var attempt = 0
        while isRunning(postmaster) {
            guard ContinuousClock.now < deadline else { return false }
            // In a task of its own: a server is stopped when its owner is being cancelled, too.
            await Task { [attempt] in try? await Task.sleep(for: Self.delay(attempt)) }.value
            attempt += 1
        }
        // Where Apus is the first process of a container, an orphan's remains are its to bury.
        waitpid(postmaster.pid, nil, WNOHANG)
        return true
    }

    // MARK: - Non public

    /// Waits a little, longer from attempt to attempt.
    private func pause(_ attempt: Int) async throws(EmbeddedFault) {
        do {
            try await Task.sleep(for: Self.delay(attempt))
        } catch {
            throw .startFailed(reason: "the start was cancelled", log: log.path)
        }
    }

    private static func delay(_ attempt: Int) -> Duration { .milliseconds(min(50, 2 << min(attempt, 5))) }
}

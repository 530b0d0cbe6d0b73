package import Logging

/// A private PostgreSQL that Apus runs for itself: a real server, its data in one directory, reached over a
/// unix socket only.
///
/// It runs in a session of its own: a Ctrl-C at the terminal reaches Apus, which stops it cleanly. If Apus
/// crashes, PostgreSQL stays; the next start takes it over. As root, it runs as an unprivileged user.
///
/// ## Topics
/// - ``start()``, ``stop()``
/// - ``supervise()``: for as long as Apus serves
package actor EmbeddedPostgres {
    private struct Running {
        var server: ClusterServer
        var postmaster: Postmaster
        /// Held for as long as the server is ours.
        let lock: DataDirectoryLock
    }

    private let path: String
    private let setting: String?
    private let logger: Logger
    private var running: Running?

    /// - Parameters:
    ///   - dataDirectory: made if it does not exist; the layout is that of `docs/embedded-postgresql.md`.
    ///   - programs: the directory of an installation's programs (`…/bin`); nil: `APUS_POSTGRES_BIN`, the
    ///     checkout's own PostgreSQL 18, or the system's.
    package init(dataDirectory: String, programs: String? = nil, logger: Logger) {
        path = dataDirectory
        setting = programs
        self.logger = logger
    }

    // MARK: - Start and stop

    /// Starts PostgreSQL, or takes over the one that a crashed Apus left; returns when it accepts
    /// connections. Makes the cluster the first time. Starting twice is starting once.
    ///
    /// - Throws: before anything is touched, if the directory is not ours, in use, of another version, or the
    ///   disk is full; else if PostgreSQL does not come up.
    package func start() async throws(EmbeddedFault) -> EmbeddedConnection {
        if let running { return connection(running.postmaster) }
        let programs = try await PostgresPrograms.find(setting: setting)
        let path = absolute(path)
        try DataDirectory.examine(path, programs: programs)
        var directory = try DataDirectory.make(path)
        let lock = try DataDirectoryLock(directory)
        let account = try ServerAccount.forCluster(directory.cluster)
        try directory.takePossession(for: account)
        if directory.home != directory.path {
            logger.notice(
                "PostgreSQL's user cannot enter the data directory: its part lies elsewhere",
                metadata: ["home": "\(directory.home)"])
        }
        if LocalFiles.status(directory.cluster + "/PG_VERSION") == nil {
            logger.notice("making a new database cluster", metadata: ["cluster": "\(directory.cluster)"])
            try await NewCluster.make(in: directory, programs: programs, account: account)
        }
        let server = ClusterServer(
            directory: directory, programs: programs, account: account, logger: logger)
        let postmaster = try await server.start()
        running = Running(server: server, postmaster: postmaster, lock: lock)
        logger.info(
            "PostgreSQL is ready",
            metadata: ["version": "\(programs.major)", "pid": "\(postmaster.pid)", "user": "\(account.name)"])
        return connection(postmaster)
    }

    /// Stops PostgreSQL: cleanly, or at once if that takes too long; the data are safe either way. Does
    /// nothing if it does not run. Completes even if the calling task is cancelled.
    package func stop() async throws(EmbeddedFault) {
        guard let running else { return }
        self.running = nil
        try await running.server.stop(running.postmaster)
        withExtendedLifetime(running.lock) {}
    }

    // MARK: - While it runs

    /// Keeps PostgreSQL running and its log short until the task is cancelled: a server that died is started
    /// again, which recovers its data.
    package func supervise() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            guard let running else { continue }
            running.server.log.cutIfLong()
            guard !running.server.isRunning(running.postmaster) else { continue }
            logger.error("PostgreSQL is gone; starting it again")
            do {
                let postmaster = try await running.server.start()
                if self.running == nil {  // Stopped meanwhile.
                    try await running.server.stop(postmaster)
                } else {
                    self.running?.postmaster = postmaster
                }
            } catch {
                logger.error("PostgreSQL does not start", metadata: ["reason": "\(error)"])
            }
        }
    }

    // MARK: - Non public

    private func connection(_ postmaster: Postmaster) -> EmbeddedConnection {
        EmbeddedConnection(socketDirectory: postmaster.socketDirectory, port: SocketDirectory.port)
    }

    private func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        return (LocalFiles.realPath(".") ?? "") + "/" + path
    }
}

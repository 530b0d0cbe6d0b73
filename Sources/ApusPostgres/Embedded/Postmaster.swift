#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A running PostgreSQL server: its process, found by the file that it keeps in its cluster.
struct Postmaster: Sendable, Equatable {
    var pid: pid_t
    /// Where its socket is.
    var socketDirectory: String
    /// The last line of its file: `starting`, `ready`, `stopping` or `standby`.
    var status: String

    /// What `postmaster.pid` says; written by PostgreSQL (`miscadmin.h`, `LOCK_FILE_LINE_…`): process, data
    /// directory, start, port, socket directory, listen address, shared memory key, status.
    enum Record: Equatable {
        case absent
        /// Empty, cut short, or not written by PostgreSQL.
        case damaged
        case server(Postmaster)

        init(ofCluster cluster: String) {
            let path = cluster + "/postmaster.pid"
            guard let text = LocalFiles.read(path, limit: 4096) else {
                self = LocalFiles.status(path, ofLink: true) == nil ? .absent : .damaged
                return
            }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            guard let pid = lines.first.flatMap({ pid_t($0) }), pid > 1, lines.count >= 3 else {
                self = .damaged
                return
            }
            // A server that has only just begun has not written all lines yet.
            let status = lines.count > 7 ? String(lines[7].prefix { $0 != " " }) : "starting"
            let socket = lines.count > 4 ? lines[4] : ""
            self = .server(Postmaster(pid: pid, socketDirectory: socket, status: status))
        }
    }
}

/// The PostgreSQL processes that work on one cluster.
///
/// A process number in a file proves nothing: after a restart of the machine it may be anybody's. On Linux
/// `/proc` does: a server and its children run as the cluster's owner, in its directory, under the name
/// `postgres`.
struct ClusterProcesses: Sendable {
    /// Links resolved.
    var cluster: String
    var account: ServerAccount

    /// Whether this process is a PostgreSQL process of this cluster and runs.
    func includes(_ pid: pid_t) -> Bool {
        #if os(Linux)
            let process = "/proc/\(pid)"
            return LocalFiles.linkTarget(process + "/cwd") == cluster
                && LocalFiles.status(process)?.owner == account.user
                && LocalFiles.read(process + "/comm", limit: 32) == "postgres\n"
        #else
            return kill(pid, 0) == 0 || errno == EPERM
        #endif
    }

    /// All of them; nil where the system does not tell.
    func all() -> [pid_t]? {
        #if os(Linux)
            (LocalFiles.names(in: "/proc") ?? []).compactMap { pid_t($0) }.filter(includes)
        #else
            nil
        #endif
    }
}

import ApusSQL
import CLibPQ
import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Makes connections. Blocks, so it runs on a thread of its own: looking up a name, a TLS handshake and
/// SCRAM's thousands of hashes would otherwise hold every request on the reactor.
struct Connector: Sendable {
    /// Why there is no connection; the words are libpq's or the server's.
    struct Failure: Error {
        var message: String
    }

    let connectionString: String
    /// Set before the connection is used, and again after it was cleaned.
    let sessionParameters: [(String, String)]
    /// Bound on the whole way to a usable connection.
    let patience: Duration
    let logger: Logger

    /// A connection for trips: session parameters set, non-blocking, in pipeline mode.
    func connect() throws(Failure) -> WireConnection {
        let (handle, notices) = try open()
        var keepsHandle = false
        defer { if !keepsHandle { PQfinish(handle) } }
        try applySessionParameters(handle)
        let roundTrip = try measureRoundTrip(handle)
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            throw failure(handle)
        }
        keepsHandle = true
        return WireConnection(handle, notices: notices, roundTripNanoseconds: roundTrip)
    }

    /// A connection that listens; `LISTEN` is in force when this returns.
    func connect(listeningTo channels: [String]) throws(Failure) -> WireConnection {
        let (handle, notices) = try open()
        var keepsHandle = false
        defer { if !keepsHandle { PQfinish(handle) } }
        try applySessionParameters(handle)
        for channel in channels {
            let escaped = channel.withCString { PQescapeIdentifier(handle, $0, strlen($0)) }
            guard let escaped else { throw failure(handle) }
            defer { PQfreemem(escaped) }
            try execute(handle, "listen " + String(cString: escaped))
        }
        guard PQsetnonblocking(handle, 1) == 0 else { throw failure(handle) }
        keepsHandle = true
        return WireConnection(handle, notices: notices, roundTripNanoseconds: 0)
    }

    /// A connection of a walsender for this database (PostgreSQL, "Streaming Replication Protocol"), blocking,
    /// session parameters set; the caller ends it with `PQfinish`.
    func connectForReplication() throws(Failure) -> (OpaquePointer, NoticeReceiver) {
        let (handle, notices) = try open([("replication", "database")])
        do throws(Failure) { try applySessionParameters(handle) } catch {
            PQfinish(handle)
            throw error
        }
        return (handle, notices)
    }

    // MARK: - Non public

    /// `PQconnectStartParams` with a deadline of our own: `connect_timeout` counts per host and in seconds.
    private func open(_ more: [(String, String)] = []) throws(Failure) -> (OpaquePointer, NoticeReceiver) {
        // What stands before dbname is a default that the connection string overrides; what stands after it
        // overrides the connection string.
        let settings: [(String, String)] =
            [
                ("fallback_application_name", "apus"), ("keepalives_idle", "30"),
                ("keepalives_interval", "10"),
                ("keepalives_count", "3"), ("dbname", connectionString), ("client_encoding", "UTF8"),
            ] + more
        guard let handle = start(settings) else { throw Failure(message: "out of memory") }
        let notices = NoticeReceiver(logger: logger)
        notices.attach(to: handle)
        let deadline = MonotonicTime.now() + patience.inNanoseconds
        var state = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            let remaining = deadline - .now()
            let isInTime = remaining > 0 && state != PGRES_POLLING_FAILED
            let isReady =
                isInTime && wait(PQsocket(handle), writing: state == PGRES_POLLING_WRITING, remaining)
            guard isReady else {
                let reason = isInTime || state == PGRES_POLLING_FAILED ? failure(handle).message : ""
                PQfinish(handle)
                throw Failure(message: reason.isEmpty ? "timed out while connecting" : reason)
            }
            state = PQconnectPoll(handle)
        }
        return (handle, notices)
    }

    private func start(_ settings: [(String, String)]) -> OpaquePointer? {
        let strings = settings.flatMap { [strdup($0.0), strdup($0.1)] }
        defer { strings.forEach { free($0) } }
        var keywords = stride(from: 0, to: strings.count, by: 2).map { UnsafePointer(strings[$0]) }
        var values = stride(from: 1, to: strings.count, by: 2).map { UnsafePointer(strings[$0]) }
        keywords.append(nil)
        values.append(nil)
        return PQconnectStartParams(keywords, values, 1)
    }

    /// False when `nanoseconds` passed.
    private func wait(_ socket: Int32, writing: Bool, _ nanoseconds: Int64) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(writing ? POLLOUT : POLLIN), revents: 0)
        return poll(&entry, 1, Int32(clamping: nanoseconds / 1_000_000 + 1)) > 0
    }

    private func applySessionParameters(_ handle: OpaquePointer) throws(Failure) {
        guard !sessionParameters.isEmpty else { return }
        try execute(handle, SessionSettings(sessionParameters).sql.text)
    }

    /// An empty query: the server does nothing for it, so its time is the way there and back, and whatever
    /// else happened meanwhile; so the shortest counts.
    private func measureRoundTrip(_ handle: OpaquePointer) throws(Failure) -> Int64 {
        var shortest = Int64.max
        for _ in 0..<3 {
            let start = MonotonicTime.now()
            try execute(handle, "")
            shortest = min(shortest, .now() - start)
        }
        return shortest
    }

    private func execute(_ handle: OpaquePointer, _ sql: String) throws(Failure) {
        let result = sql.withCString { PQexec(handle, $0) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
        default: throw failure(handle)
        }
    }

    private func failure(_ handle: OpaquePointer) -> Failure {
        Failure(message: PQerrorMessage(handle).map { trimmingEnd(String(cString: $0)) } ?? "unknown error")
    }
}

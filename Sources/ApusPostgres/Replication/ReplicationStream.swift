import ApusSQL
import CLibPQ
package import Logging

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A connection on which the server streams what it decodes from its write-ahead log.
///
/// Blocks; belongs to the thread that made it, except for ``interrupt()``.
package final class ReplicationStream {
    /// How to reach the server, and what to ask it for.
    package struct Configuration: Sendable {
        /// libpq's; the role needs REPLICATION.
        package var connectionString: String
        package var slot: String
        package var publication: String
        /// After how long without a word from us the server ends the connection and frees the slot.
        package var serverPatience: Duration = .seconds(4)
        /// How long the server may be silent; it answers when it is asked.
        package var silenceLimit: Duration = .seconds(5)

        package init(connectionString: String, slot: String, publication: String) {
            self.connectionString = connectionString
            self.slot = slot
            self.publication = publication
        }
    }

    /// What came.
    package enum Event {
        /// A message of pgoutput.
        case message([UInt8])
        /// Everything up to here has been sent. Whether the server waits for a status.
        case keepalive(LSN, wantsReply: Bool)
        /// Nothing in the time given.
        case nothing
        /// ``interrupt()`` was called.
        case interrupted
    }

    /// The newest position of the server that was seen.
    package private(set) var serverEnd = LSN.zero
    private let handle: OpaquePointer
    private let notices: NoticeReceiver
    private let configuration: Configuration
    private let interruption: Interruption
    private var heardAt = MonotonicTime.now()
    /// When the last wait ended.
    private var roseAt = MonotonicTime(nanoseconds: 0)
    /// Under a steady stream of commits the socket is read once in this time, and many commits are taken at a time: a
    /// commit that comes alone waits for nothing. In nanoseconds.
    private static let pace: Int64 = 1_000_000

    /// Ends a stream's wait from another thread.
    package final class Interruption: Sendable {
        fileprivate let wakeUp: WakeUp

        /// - Throws: when the system has no descriptor left.
        package init() throws(PostgresFault) {
            do throws(WireFailure) { wakeUp = try WakeUp() } catch {
                throw PostgresFault(.unavailable, error.message)
            }
        }

        package func interrupt() { wakeUp.signal() }
    }

    /// Connects; at the most ten seconds.
    package init(
        _ configuration: Configuration, interruption: Interruption, logger: Logger
    ) throws(PostgresFault) {
        self.configuration = configuration
        self.interruption = interruption
        let patience = configuration.serverPatience.inNanoseconds / 1_000_000
        let connector = Connector(
            connectionString: configuration.connectionString,
            // One text form of values, whatever the database's defaults are.
            sessionParameters: [
                ("wal_sender_timeout", "\(patience)"), ("datestyle", "ISO, MDY"),
                ("intervalstyle", "postgres"), ("timezone", "UTC"), ("extra_float_digits", "1"),
                ("bytea_output", "hex"), ("lc_monetary", "C"),
            ], patience: .seconds(10), logger: logger)
        do throws(Connector.Failure) {
            (handle, notices) = try connector.connectForReplication()
        } catch {
            throw PostgresFault(.unavailable, error.message)
        }
    }

    deinit { PQfinish(handle) }

    /// Asks the server to stream what committed after `position` (zero: after what was confirmed last).
    package func start(after position: LSN) throws(PostgresFault) {
        let sql: SQL = """
            START_REPLICATION SLOT \(ident: configuration.slot) LOGICAL \(SQL(trusted: position.description))
            (proto_version '2', publication_names \(literal: SQL.ident(configuration.publication).text),
            messages 'true', streaming 'true')
            """
        guard let result = sql.text.withCString({ PQexec(handle, $0) }) else { throw lost }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COPY_BOTH else { throw PostgresFault(result: result) }
        guard PQsetnonblocking(handle, 1) == 0 else { throw lost }
        heardAt = .now()
    }

    /// Waits for the next event, at the most `limit`.
    ///
    /// - Throws: what the server said, when it ended the stream.
    package func next(within limit: Duration) throws(PostgresFault) -> Event {
        let deadline = MonotonicTime.now() + limit.inNanoseconds
        while true {
            if let event = try buffered() { return event }
            let now = MonotonicTime.now()
            if now - heardAt > configuration.silenceLimit.inNanoseconds { throw silent }
            let remaining = deadline - now
            guard remaining > 0 else { return .nothing }
            if try waitForInput(remaining) { return .interrupted }
        }
    }

    /// Whether nothing has come for a while. A server that hears from us in time says nothing by itself: who wants
    /// to know whether it is there, asks for a reply with the next status.
    package var isQuiet: Bool { MonotonicTime.now() - heardAt > configuration.silenceLimit.inNanoseconds / 4 }

    /// Tells the server what has been received, and up to where it may forget.
    package func sendStatus(
        received: LSN, flushed: LSN, wantsReply: Bool = false
    ) throws(PostgresFault) {
        let bytes = StreamHeader.status(received: received, flushed: flushed, wantsReply: wantsReply)
        let sent = bytes.withUnsafeBytes {
            PQputCopyData(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
        }
        guard sent == 1, PQflush(handle) >= 0 else { throw lost }
    }

    // MARK: - Non public

    /// The next event that libpq has received whole.
    private func buffered() throws(PostgresFault) -> Event? {
        var buffer: UnsafeMutablePointer<CChar>?
        let length = PQgetCopyData(handle, &buffer, 1)
        guard length > 0 else {
            if length == 0 { return nil }
            throw ending()
        }
        defer { PQfreemem(buffer) }
        heardAt = .now()
        let bytes = UnsafeRawBufferPointer(start: buffer, count: Int(length))
        if let end = StreamHeader.dataEnd(bytes) {
            serverEnd = max(serverEnd, end)
            return .message(Array(bytes[StreamHeader.dataLength...]))
        }
        guard let (end, wantsReply) = StreamHeader.keepalive(bytes) else { return nil }
        serverEnd = max(serverEnd, end)
        return .keepalive(end, wantsReply: wantsReply)
    }

    /// True when interrupted.
    private func waitForInput(_ nanoseconds: Int64) throws(PostgresFault) -> Bool {
        var descriptors = [
            pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
            pollfd(fd: interruption.wakeUp.readable, events: Int16(POLLIN), revents: 0),
        ]
        let early = Self.pace - (MonotonicTime.now() - roseAt)
        if early > 0 { usleep(UInt32(clamping: early / 1_000)) }
        // In milliseconds, rounded up, and with an eye on the server's silence.
        let milliseconds = min(nanoseconds / 1_000_000 + 1, 1_000)
        let ready = poll(&descriptors, 2, Int32(milliseconds))
        roseAt = .now()
        guard ready > 0 else { return false }
        if descriptors[1].revents != 0 {
            interruption.wakeUp.reset()
            return true
        }
        guard PQconsumeInput(handle) == 1 else { throw lost }
        return false
    }

    /// Why the COPY is over.
    private func ending() -> PostgresFault {
        var fault = lost
        while let result = PQgetResult(handle) {
            if PQresultStatus(result) == PGRES_FATAL_ERROR { fault = PostgresFault(result: result) }
            PQclear(result)
            if PQstatus(handle) == CONNECTION_BAD { break }
        }
        return fault
    }

    private var lost: PostgresFault {
        let words = PQerrorMessage(handle).map { trimmingEnd(String(cString: $0)) } ?? ""
        return PostgresFault(.connectionLost, words.isEmpty ? "The server ended replication." : words)
    }

    private var silent: PostgresFault {
        PostgresFault(.connectionLost, "The server has been silent for too long.")
    }
}

import ApusSQL
import CLibPQ

/// A `PGconn` that is connected and non-blocking, normally in pipeline mode.
///
/// Sendable: a `PGconn` may be used by one thread at a time. The connecting thread makes it and hands it to
/// the reactor through the mailbox's lock; from then on only the reactor's thread uses it.
final class WireConnection: @unchecked Sendable {
    enum Flushing {
        case done
        /// The socket is full; go on when it has room.
        case pending
        case failed
    }

    let socket: Int32
    /// Measured while connecting.
    let roundTripNanoseconds: Int64
    private let handle: OpaquePointer
    private let notices: NoticeReceiver
    private var scratch = BindScratch()

    /// Takes over `handle`.
    init(_ handle: OpaquePointer, notices: NoticeReceiver, roundTripNanoseconds: Int64) {
        self.handle = handle
        self.notices = notices
        self.roundTripNanoseconds = roundTripNanoseconds
        socket = PQsocket(handle)
    }

    deinit { PQfinish(handle) }

    var isBroken: Bool { PQstatus(handle) == CONNECTION_BAD }
    var errorMessage: String { PQerrorMessage(handle).map { trimmingEnd(String(cString: $0)) } ?? "" }
    var serverVersion: Int { Int(PQserverVersion(handle)) }
    var backendProcess: Int32 { PQbackendPID(handle) }
    /// Whether a transaction block is open, as of the last answer; false while libpq cannot tell, because
    /// something is in flight.
    var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    // MARK: - Sending in pipeline mode; false means that the connection cannot be used any more

    func sendPrepare(serial: UInt64, _ statement: Statement) -> Bool {
        withName(serial) { name in
            scratch.withView(statement.binds) { view in
                statement.text.sql.withCString {
                    PQsendPrepare(handle, name, $0, view.count, view.types) == 1
                }
            }
        }
    }

    func sendExecute(serial: UInt64, _ binds: Binds) -> Bool {
        withName(serial) { name in
            scratch.withView(binds) {
                PQsendQueryPrepared(handle, name, $0.count, $0.values, $0.lengths, $0.formats, 0) == 1
            }
        }
    }

    /// Unnamed, parsed each time. Works outside pipeline mode too.
    func sendUnprepared(_ statement: Statement) -> Bool {
        scratch.withView(statement.binds) { view in
            statement.text.sql.withCString {
                PQsendQueryParams(
                    handle, $0, view.count, view.types, view.values, view.lengths, view.formats, 0) == 1
            }
        }
    }

    func sendSync() -> Bool { NewerLibPQ.sendSync(handle) }

    func flush() -> Flushing {
        switch PQflush(handle) {
        case 0: .done
        case 1: .pending
        default: .failed
        }
    }

    /// The statement that ``sendPrepare(serial:_:)`` made is closed by this SQL.
    static func deallocation(serial: UInt64) -> SQL { "deallocate \(ident: "apus\(serial)")" }

    // MARK: - Receiving

    /// Reads what the socket has. False when the connection ended; what came before can still be taken.
    func consumeInput() -> Bool { PQconsumeInput(handle) == 1 }

    /// Whether ``nextResult()`` would have to wait.
    var isBusy: Bool { PQisBusy(handle) == 1 }

    /// The next result, which the caller owns; nil at the end of a command.
    func nextResult() -> OpaquePointer? { PQgetResult(handle) }

    /// The next message of a channel this connection listens on.
    func nextNotification() -> DatabaseNotification? {
        guard let notify = PQnotifies(handle) else { return nil }
        defer { PQfreemem(notify) }
        return .message(
            channel: notify.pointee.relname.map { String(cString: $0) } ?? "",
            payload: notify.pointee.extra.map { String(cString: $0) } ?? "", pid: notify.pointee.be_pid)
    }

    // MARK: - Outside pipeline mode: scripts and COPY

    /// Only while nothing is in flight.
    func leavePipeline() -> Bool { PQexitPipelineMode(handle) == 1 }
    func enterPipeline() -> Bool { PQenterPipelineMode(handle) == 1 }

    /// The simple protocol: many statements, no parameters.
    func sendScript(_ script: String) -> Bool { script.withCString { PQsendQuery(handle, $0) == 1 } }

    func putCopyData(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            PQputCopyData(
                handle, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: buffer.count)
            )
                == 1
        }
    }

    /// Ends a COPY to the server; with a reason, so that it fails there.
    func endCopy(failingWith reason: String?) -> Bool {
        guard let reason else { return PQputCopyEnd(handle, nil) == 1 }
        return reason.withCString { PQputCopyEnd(handle, $0) == 1 }
    }

    enum CopyProgress {
        case row
        case waiting
        case finished
        case failed
    }

    /// Appends the next row of a COPY from the server.
    func takeCopyRow(into bytes: inout [UInt8]) -> CopyProgress {
        var buffer: UnsafeMutablePointer<CChar>?
        let length = PQgetCopyData(handle, &buffer, 1)
        defer { PQfreemem(buffer) }
        switch length {
        case 0: return .waiting
        case -1: return .finished
        case ..<0: return .failed
        default:
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: Int(length)))
            return .row
        }
    }

    // MARK: - Cancelling

    func makeCancelRequest() -> CancelRequest? { NewerLibPQ.makeCancel(handle) }

    // MARK: - Non public

    /// `apus` and the serial, NUL-terminated, without a String: it is needed for every execution.
    private func withName<R>(_ serial: UInt64, _ body: (UnsafePointer<CChar>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { name in
            name.initialize(repeating: 0)
            var digit = 30
            var rest = serial
            repeat {
                name[digit] = CChar(48 + rest % 10)
                rest /= 10
                digit -= 1
            } while rest > 0
            for letter in "supa".utf8 {
                name[digit] = CChar(letter)
                digit -= 1
            }
            // The name starts after the unused bytes; 32 hold "apus", 20 digits and the NUL.
            guard let start = name.baseAddress else { preconditionFailure("32 bytes have an address") }
            return body(start + digit + 1)
        }
    }
}

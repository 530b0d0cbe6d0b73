import CLibPQ

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Functions of libpq 17 that are used when the libpq we run with has them.
///
/// Apus builds against libpq 15 (Debian 12); a newer one at run time is found by name, once.
enum NewerLibPQ {
    private typealias Connection = @convention(c) (OpaquePointer?) -> Int32
    private typealias MakeCancel = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias FinishCancel = @convention(c) (OpaquePointer?) -> Void

    private static let sendPipelineSync = symbol("PQsendPipelineSync", as: Connection.self)
    private static let cancelCreate = symbol("PQcancelCreate", as: MakeCancel.self)
    private static let cancelBlocking = symbol("PQcancelBlocking", as: Connection.self)
    private static let cancelFinish = symbol("PQcancelFinish", as: FinishCancel.self)

    /// Puts a Sync into the pipeline. Without `PQsendPipelineSync`, every Sync is also a flush, so a batch
    /// of trips costs as many system calls.
    static func sendSync(_ connection: OpaquePointer) -> Bool {
        if let sendPipelineSync { return sendPipelineSync(connection) == 1 }
        return PQpipelineSync(connection) == 1
    }

    /// A request to cancel what `connection` runs, to be sent by another thread. `PQcancelBlocking` speaks
    /// TLS when the connection does; the older `PQcancel` sends its key in the clear.
    static func makeCancel(_ connection: OpaquePointer) -> CancelRequest? {
        if let cancelCreate, let cancelBlocking, let cancelFinish {
            guard let cancel = cancelCreate(connection) else { return nil }
            return CancelRequest(
                handle: cancel, send: { cancelBlocking($0) == 1 }, dispose: { cancelFinish($0) })
        }
        guard let cancel = PQgetCancel(connection) else { return nil }
        return CancelRequest(
            handle: cancel,
            send: { handle in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) {
                    PQcancel(handle, $0.baseAddress, 256) == 1
                }
            }, dispose: { PQfreeCancel($0) })
    }

    private static func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
        // RTLD_DEFAULT, a cast that Swift does not import: null on Linux, −2 on Darwin.
        #if canImport(Darwin)
            let everywhere = UnsafeMutableRawPointer(bitPattern: -2)
        #else
            let everywhere: UnsafeMutableRawPointer? = nil
        #endif
        return dlsym(everywhere, name).map { unsafeBitCast($0, to: type) }
    }
}

/// One cancel request, made on the connection's thread and sent from another.
///
/// Sendable: libpq's cancel objects are copies of what a cancel needs and may be used from any thread; this
/// one is handed from the reactor to exactly one other thread.
final class CancelRequest: @unchecked Sendable {
    private let handle: OpaquePointer
    private let sending: @Sendable (OpaquePointer) -> Bool
    private let dispose: @Sendable (OpaquePointer) -> Void

    init(
        handle: OpaquePointer, send: @escaping @Sendable (OpaquePointer) -> Bool,
        dispose: @escaping @Sendable (OpaquePointer) -> Void
    ) {
        self.handle = handle
        sending = send
        self.dispose = dispose
    }

    deinit { dispose(handle) }

    /// Blocks until the server took the request and closed the cancel connection: the backend has its
    /// signal by then. False when the server could not be reached.
    func send() -> Bool { sending(handle) }
}

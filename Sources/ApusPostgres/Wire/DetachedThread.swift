#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Runs `body` on a thread of its own. For work that blocks (name resolution, a TLS handshake, `PQcancel`)
/// and for the reactor: neither may sit on a thread of Swift's cooperative pool.
///
/// Throws when the system has no thread to give; `body` then never runs.
package func detachThread(_ body: @escaping @Sendable () -> Void) throws(WireFailure) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    #if canImport(Darwin)
        var thread: pthread_t?
        let start: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { context in
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }
    #else
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            guard let context else { return nil }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }
    #endif
    let status = pthread_create(&thread, &attributes, start, box.toOpaque())
    if status != 0 {
        box.release()
        throw .system(call: "pthread_create", errno: status)
    }
}

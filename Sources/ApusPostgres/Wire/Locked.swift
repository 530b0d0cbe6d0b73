#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A value that many threads share, under a lock.
///
/// Like `Synchronization.Mutex`, over the system's mutex instead: the thread sanitizer sees that one, and
/// takes every access under a `Mutex` on Linux for a race (its operations are compiled into a library that
/// is not instrumented).
///
/// Sendable: the value is only reached in ``withLock(_:)``, which holds the mutex.
package final class Locked<Value: Sendable>: @unchecked Sendable {
    private var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init(_ value: Value) {
        self.value = value
        // In memory of its own, which does not move.
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Calls `body` with the value while no other thread has it. Must not be nested.
    package func withLock<R>(_ body: (inout Value) -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}

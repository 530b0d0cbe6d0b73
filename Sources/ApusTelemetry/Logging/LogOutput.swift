import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where lines go: a file descriptor that all handlers share.
///
/// A line is written with one `write(2)` under a lock, so that lines never mix, also not with those of other
/// processes on the same pipe as long as they are short (POSIX, `PIPE_BUF`). A reader that does not read holds the
/// log up, but a descriptor that does not block only for ``patience``; what is not written then is dropped and counted.
package final class LogOutput: Sendable {
    /// How long to wait for a full pipe, milliseconds.
    private static let patience: Int32 = 100

    private let descriptor: Mutex<Int32>
    private let dropped = Atomic<Int>(0)

    /// `descriptor` stays the caller's; it must stay open as long as anything logs.
    package init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// The process' standard error.
    package static let standardError = LogOutput(descriptor: 2)

    /// How many lines could not be written.
    package var droppedLines: Int { dropped.load(ordering: .relaxed) }

    func write(_ line: [UInt8]) {
        let isWritten = descriptor.withLock { descriptor in
            line.withUnsafeBytes { Self.write($0, to: descriptor) }
        }
        if !isWritten { dropped.add(1, ordering: .relaxed) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            let written = systemWrite(descriptor, base, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&wait, 1, patience) == 1 else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// The system's `write`, which a method of the same name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A temporary file without a name.
final class SpillFile {
    private let descriptor: Int32

    init(directory: String) throws(FeedFailure) {
        var template = Array("\(directory)/apus-feed-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .spill(call: "mkstemp", errno: errno) }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    func append(_ bytes: [UInt8]) throws(FeedFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .spill(call: "write", errno: errno) }
            done += count
        }
    }

    /// At the most `limit` bytes; none at the end.
    func read(at offset: Int, _ limit: Int) throws(FeedFailure) -> [UInt8] {
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var got: Int
            repeat {
                got = pread(descriptor, buffer.baseAddress, limit, off_t(offset))
            } while got < 0
                && errno == EINTR
            if got < 0 { failure = errno }
            count = max(0, got)
        }
        if let failure { throw .spill(call: "pread", errno: failure) }
        return bytes
    }
}

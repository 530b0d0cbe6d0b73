#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The right to work on a data directory, held by one server at a time.
///
/// An advisory lock of the operating system (`flock(2)`) on a file that says who holds it: it ends with the
/// process, however that ends, and its descriptor is closed in every program that Apus starts.
final class DataDirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``EmbeddedFault/directoryInUse(path:pid:since:)``, naming the holder.
    init(_ directory: DataDirectory) throws(EmbeddedFault) {
        let file = directory.lockFile
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw LocalFiles.failure(file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let fault = errno == EWOULDBLOCK ? nil : LocalFiles.failure(file)
            let holder = (LocalFiles.read(descriptor, from: 0, limit: 256) ?? "").split(separator: "\n")
            close(descriptor)
            throw fault
                ?? .directoryInUse(
                    path: directory.path, pid: holder.first.flatMap { Int32($0) },
                    since: holder.dropFirst().first.map(String.init))
        }
        guard ftruncate(descriptor, 0) == 0,
            LocalFiles.append("\(getpid())\n\(Self.now())\n", to: descriptor)
        else {
            let fault = LocalFiles.failure(file)
            close(descriptor)
            throw fault
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// This moment as ISO 8601 in UTC, for a human.
    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress,
                strftime(base, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0
            else { return "" }
            return String(cString: base)
        }
    }
}

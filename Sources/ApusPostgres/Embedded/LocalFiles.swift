#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The few file operations that the embedded server needs, with exact modes and owners and without following
/// links where another user could have put one.
enum LocalFiles {
    /// What `stat(2)` says about a path.
    struct Status {
        var owner: uid_t
        var group: gid_t
        var mode: mode_t
        var size: Int

        var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
        var permissions: mode_t { mode & 0o7777 }
    }

    /// What the operating system says about `errno`.
    static func lastReason() -> String { String(cString: strerror(errno)) }

    static func failure(_ path: String) -> EmbeddedFault {
        .notWritable(path: path, reason: lastReason())
    }

    /// The status of what `path` leads to (with `ofLink`, of a link itself); nil if there is nothing.
    static func status(_ path: String, ofLink: Bool = false) -> Status? {
        var raw = stat()
        guard (ofLink ? lstat(path, &raw) : stat(path, &raw)) == 0 else { return nil }
        return Status(owner: raw.st_uid, group: raw.st_gid, mode: mode_t(raw.st_mode), size: Int(raw.st_size))
    }

    /// The path without links and dots; nil if it leads nowhere.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func linkTarget(_ path: String) -> String? {
        let capacity = Int(PATH_MAX)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let length = readlink(path, base, capacity)
            guard length > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: base, count: length), as: UTF8.self)
        }
    }

    /// The directory above; `/` is its own.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The names in a directory, without `.` and `..`; nil if it cannot be read.
    static func names(in directory: String) -> [String]? {
        guard let stream = opendir(directory) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes a directory and those above it. Exactly `mode`, whatever the umask.
    static func makeDirectories(_ path: String, mode: mode_t) throws(EmbeddedFault) {
        if let status = status(path) {
            guard status.isDirectory else {
                throw .notWritable(path: path, reason: "it is not a directory")
            }
            return
        }
        try makeDirectories(parent(path), mode: 0o755)
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else { throw failure(path) }
    }

    /// The first bytes of a small file; nil if it cannot be read.
    static func read(_ path: String, limit: Int = 64 * 1024) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor, from: 0, limit: limit)
    }

    /// At most `limit` bytes from `offset` on.
    static func read(_ descriptor: Int32, from offset: Int, limit: Int) -> String? {
        withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
            var length = 0
            while length < limit {
                let read = pread(
                    descriptor, buffer.baseAddress?.advanced(by: length), limit - length,
                    off_t(offset + length))
                if read == 0 { break }
                guard read > 0 else {
                    if errno == EINTR { continue }
                    return nil
                }
                length += read
            }
            return String(decoding: buffer[..<length], as: UTF8.self)
        }
    }

    /// Replaces a file whole or not at all.
    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(EmbeddedFault) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard append(text, to: descriptor), fchmod(descriptor, mode) == 0, fsync(descriptor) == 0,
            rename(draft, path) == 0
        else {
            let fault = failure(path)
            unlink(draft)
            throw fault
        }
    }

    /// Writes all of a text at the descriptor's place.
    static func append(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                #if canImport(Darwin)
                    let count = Darwin.write(
                        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                #elseif canImport(Musl)
                    let count = Musl.write(
                        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                #else
                    let count = Glibc.write(
                        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                #endif
                guard count > 0 else {
                    if count < 0, errno == EINTR { continue }
                    return false
                }
                written += count
            }
            return true
        }
    }

    /// Makes what happened in a directory (a rename) last.
    static func synchronize(directory: String) {
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Removes a file or a directory with all it holds; follows no link.
    static func removeTree(_ path: String) {
        if status(path, ofLink: true)?.isDirectory == true {
            for name in names(in: path) ?? [] { removeTree(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    /// Free bytes for ordinary users on the disk that holds `path`, or the nearest directory above it.
    static func freeBytes(at path: String) -> UInt64? {
        var place = path
        while status(place) == nil, place != "/" { place = parent(place) }
        var raw = statvfs()
        guard statvfs(place, &raw) == 0 else { return nil }
        return UInt64(raw.f_bavail) * UInt64(raw.f_frsize)
    }
}

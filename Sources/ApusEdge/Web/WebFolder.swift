import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Opens files below one directory and nowhere else. Everything here blocks.
///
/// A path is walked from the directory's descriptor, one name at a time, and no link is followed on the way: so nothing
/// that somebody puts there while a request is under way leads out of it. The directory itself may be a link, so that a
/// release is swapped by swapping the link.
struct WebFolder: Sendable {
    /// What came of looking for a file.
    enum Finding: Sendable {
        case file(WebFile)
        case missing
        case tooLarge
        /// The system has no descriptors left, the disk fails, or the file changes faster than it is read.
        case unavailable
    }

    let root: String
    /// Largest file that is served, in bytes.
    let largest: Int
    let shelf: WebShelf

    /// Whether the directory is there and can be entered.
    var isThere: Bool {
        let descriptor = open(root, Self.directory)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }

    /// The file at a path, from memory if it has not changed since.
    func find(_ path: WebPath) -> Finding {
        for _ in 0..<3 {
            let descriptor = walk(path)
            guard descriptor >= 0 else { return Self.isAbsence(errno) ? .missing : .unavailable }
            defer { close(descriptor) }
            guard let before = FileState(of: descriptor) else { return .unavailable }
            guard before.isRegular else { return .missing }
            guard before.size <= largest else { return .tooLarge }
            if let known = shelf.find(path, before) { return .file(known) }
            // A file that was being written is read again: half of one under a tag would be half for good.
            guard let bytes = Self.content(of: descriptor, size: before.size),
                FileState(of: descriptor) == before
            else {
                continue
            }
            let file = WebFile(bytes: bytes, name: path.segments.last ?? "")
            shelf.keep(file, path, before)
            return .file(file)
        }
        return .unavailable
    }

    // MARK: - Non public

    private static let directory = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    /// Not waiting, because opening a pipe for reading waits for its writer.
    private static let file = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC

    /// A descriptor of the file; negative, with `errno`, when there is none.
    private func walk(_ path: WebPath) -> Int32 {
        var place = open(root, Self.directory)
        for (index, segment) in path.segments.enumerated() where place >= 0 {
            let isLast = index == path.segments.count - 1
            let next = openat(place, segment, isLast ? Self.file : Self.directory | O_NOFOLLOW)
            let reason = errno
            close(place)
            errno = reason
            place = next
        }
        return place
    }

    /// Who may not read a file learns no more than that there is none.
    private static func isAbsence(_ reason: Int32) -> Bool {
        [ENOENT, ENOTDIR, ELOOP, EACCES, EPERM, ENAMETOOLONG, EINVAL, ENXIO].contains(reason)
    }

    /// All of a file, if it is as long as it said.
    private static func content(of descriptor: Int32, size: Int) -> ByteBuffer? {
        var buffer = ByteBufferAllocator().buffer(capacity: size + 1)
        while buffer.readableBytes <= size {
            let wanted = size + 1 - buffer.readableBytes
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                max(0, read(descriptor, space.baseAddress, min(space.count, wanted)))
            }
            if count == 0 { break }
        }
        return buffer.readableBytes == size ? buffer : nil
    }
}

/// What tells one content of a file from another without reading it.
struct FileState: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int
    /// Of content and of attributes, in nanoseconds: the second one cannot be set by `touch`.
    var modified: Int64
    var changed: Int64
    var isRegular: Bool

    /// nil when the descriptor cannot be asked.
    init?(of descriptor: Int32) {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int(raw.st_size)
        isRegular = mode_t(raw.st_mode) & S_IFMT == S_IFREG
        #if canImport(Darwin)
            let (content, attributes) = (raw.st_mtimespec, raw.st_ctimespec)
        #else
            let (content, attributes) = (raw.st_mtim, raw.st_ctim)
        #endif
        modified = Int64(content.tv_sec) &* 1_000_000_000 &+ Int64(content.tv_nsec)
        changed = Int64(attributes.tv_sec) &* 1_000_000_000 &+ Int64(attributes.tv_nsec)
    }
}

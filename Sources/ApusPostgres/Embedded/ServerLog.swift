#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The file that PostgreSQL's standard error goes to, kept short.
///
/// PostgreSQL's own rotation bounds a log by time or makes ever more files. All writers append
/// (`O_APPEND`), so the file can be cut while they write.
struct ServerLog: Sendable {
    var path: String
    /// The length, in bytes, beyond which the log is cut.
    var limit = 16 << 20

    /// Makes the file, if it does not exist, so that the account that runs PostgreSQL can append to it.
    func make(for account: ServerAccount) throws(EmbeddedFault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw LocalFiles.failure(path) }
        close(descriptor)
        try account.own(path)
    }

    /// The log's length in bytes.
    var length: Int { LocalFiles.status(path)?.size ?? 0 }

    /// Moves the newest part of a log that is too long to `<log>.1`, which it replaces, and starts over.
    func cutIfLong() {
        guard length > limit else { return }
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let kept = limit / 8
        if let newest = LocalFiles.read(descriptor, from: max(0, length - kept), limit: kept) {
            try? LocalFiles.write(newest, to: path + ".1", mode: 0o600)
        }
        ftruncate(descriptor, 0)
    }

    /// Why a server that wrote from `offset` on did not start: its last fatal message, or all it said.
    func reason(from offset: Int) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "it said nothing." }
        defer { close(descriptor) }
        let text = LocalFiles.read(descriptor, from: offset, limit: 64 * 1024) ?? ""
        let lines = text.split(whereSeparator: \.isNewline)
        let grave = ["FATAL:", "PANIC:", "postgres: "]
        guard let line = lines.last(where: { line in grave.contains { line.contains($0) } }) else {
            return lines.isEmpty ? "it said nothing." : lines.suffix(10).joined(separator: "\n")
        }
        for word in grave {
            guard let range = line.firstRange(of: word) else { continue }
            return String(line[range.upperBound...].drop(while: { $0 == " " }))
        }
        return String(line)
    }
}

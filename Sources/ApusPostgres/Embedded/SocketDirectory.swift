#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds the directory for PostgreSQL's socket: `run/` in the data directory, unless a socket's path there
/// would be longer than the kernel's address can hold (`sockaddr_un`, unix(7)), or has a comma, which in libpq
/// separates hosts.
enum SocketDirectory {
    /// The port stands in the socket's name only; PostgreSQL listens on no network.
    static let port = 5432

    #if canImport(Darwin)
        /// Bytes of a socket's path, without the terminating zero.
        static let longestPath = 103
    #else
        /// Bytes of a socket's path, without the terminating zero.
        static let longestPath = 107
    #endif

    /// Makes the directory, which only the account that runs PostgreSQL (and root) may enter: that is what
    /// guards the server, which trusts whoever reaches its socket.
    static func make(
        for directory: DataDirectory, account: ServerAccount
    ) throws(EmbeddedFault) -> String {
        let isUsable = "\(directory.run)/.s.PGSQL.\(port)".utf8.count <= longestPath
        if isUsable, !directory.run.contains(",") {
            try account.makeOwnDirectory(directory.run)
            return directory.run
        }
        let short = "/tmp/apus-" + String(stableHash(directory.home), radix: 16)
        try makeAlone(short, account: account)
        // For people: the socket is found where they look for it.
        if LocalFiles.linkTarget(directory.run) != short {
            unlink(directory.run)
            _ = symlink(short, directory.run)
        }
        return short
    }

    // MARK: - Non public

    /// Makes a directory in a place where everybody may make one: what is there already must be ours alone.
    private static func makeAlone(_ path: String, account: ServerAccount) throws(EmbeddedFault) {
        if mkdir(path, 0o700) == 0 {
            try account.own(path)
            return
        }
        guard errno == EEXIST, let status = LocalFiles.status(path, ofLink: true) else {
            throw LocalFiles.failure(path)
        }
        guard status.isDirectory else {
            throw .unsafeSocketDirectory(path: path, reason: "is not a directory")
        }
        guard status.owner == account.user else {
            throw .unsafeSocketDirectory(path: path, reason: "belongs to another user")
        }
        guard status.permissions & 0o077 == 0 else {
            throw .unsafeSocketDirectory(path: path, reason: "is open to other users")
        }
    }

    /// FNV-1a, 64 bits: the same in every process, unlike `Hasher`.
    private static func stableHash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

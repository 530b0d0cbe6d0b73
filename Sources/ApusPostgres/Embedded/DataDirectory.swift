#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The directory that one Apus keeps everything in, and what lies where in it.
///
/// ```
/// <data directory>/
///   apus-data      marks the directory as ours
///   apus.lock      held by the server that works on it
///   apus.conf      PostgreSQL's settings, written at every start
///   postgres/      the database cluster
///   log/           postgres.log
///   run/           PostgreSQL's socket (or a link to a directory with a shorter path)
///   home           only as root, when the user that runs PostgreSQL cannot walk to this directory:
///                  a link to the directory that holds the four above instead
/// ```
struct DataDirectory: Sendable, Equatable {
    /// Absolute, links resolved.
    var path: String
    /// Where PostgreSQL's part lies: ``path``, or where `home` leads.
    var home: String

    var lockFile: String { path + "/apus.lock" }
    var settingsFile: String { home + "/apus.conf" }
    var cluster: String { home + "/postgres" }
    /// A cluster in the making; whatever bears this name when no server runs is a failed attempt.
    var draft: String { home + "/postgres.new" }
    var log: String { home + "/log/postgres.log" }
    var run: String { home + "/run" }

    /// Free space that a new cluster needs to be made and to do something.
    static let neededForNewCluster: UInt64 = 256 << 20

    /// Where the cluster goes if the directory itself is out of reach for the user that runs PostgreSQL.
    static let commonPlace = "/var/lib/apus"

    private static let marker = "apus-data"
    private static let markerText = "This directory belongs to Apus. Layout 1.\n"

    // MARK: - Before anything is touched

    /// Checks that the directory may become, or is, the data directory of a PostgreSQL of this version.
    /// Touches nothing.
    static func examine(_ path: String, programs: PostgresPrograms) throws(EmbeddedFault) {
        if let bad = path.first(where: { "\"$`\\\n\r".contains($0) }) {
            throw .unusablePath(path: path, character: bad.isNewline ? "line break" : String(bad))
        }
        if let status = LocalFiles.status(path) {
            guard status.isDirectory else { throw .notWritable(path: path, reason: "it is not a directory") }
            try examineContents(path)
        }
        try examineAccess(path)
        let home = LocalFiles.realPath(path + "/home") ?? path
        if let text = LocalFiles.read(home + "/postgres/PG_VERSION") {
            let data = Int(text.prefix(while: \.isNumber)) ?? 0
            guard data == programs.major else {
                throw .otherVersion(path: home + "/postgres", data: data, programs: programs.major)
            }
        } else if let free = LocalFiles.freeBytes(at: home), free < neededForNewCluster {
            throw .diskFull(path: home, free: free, needed: neededForNewCluster)
        }
    }

    /// Refuses a directory with things in it that Apus did not put there.
    private static func examineContents(_ path: String) throws(EmbeddedFault) {
        guard let names = LocalFiles.names(in: path) else { throw LocalFiles.failure(path) }
        guard !names.contains(marker) else { return }
        // `lost+found`: the top of a file system. The lock: two servers that start at once.
        let foreign = names.filter { $0 != "lost+found" && $0 != "apus.lock" }.sorted()
        guard let first = foreign.first else { return }
        let holds = foreign.contains("PG_VERSION") ? "another PostgreSQL cluster" : "\"\(first)\""
        throw .foreignDirectory(path: path, holds: holds)
    }

    private static func examineAccess(_ path: String) throws(EmbeddedFault) {
        var place = path
        while LocalFiles.status(place) == nil, place != "/" { place = LocalFiles.parent(place) }
        if access(place, W_OK | X_OK) != 0 { throw LocalFiles.failure(place) }
    }

    // MARK: - Taking possession

    /// Makes the directory if it does not exist and says where it really is.
    static func make(_ path: String) throws(EmbeddedFault) -> DataDirectory {
        try LocalFiles.makeDirectories(path, mode: 0o700)
        guard let real = LocalFiles.realPath(path) else { throw LocalFiles.failure(path) }
        return DataDirectory(path: real, home: LocalFiles.realPath(real + "/home") ?? real)
    }

    /// Marks the directory as ours and readies it for the account that runs PostgreSQL. Call with the lock
    /// held.
    mutating func takePossession(for account: ServerAccount) throws(EmbeddedFault) {
        if LocalFiles.status(path + "/" + Self.marker) == nil {
            try LocalFiles.write(Self.markerText, to: path + "/" + Self.marker)
        }
        if account.isOther {
            if home == path, account.firstClosedDirectory(above: path) != nil,
                LocalFiles.status(cluster) == nil
            {
                home = try makeCommonHome(for: account)
            }
            if let closed = account.firstClosedDirectory(above: home) {
                throw .outOfReach(path: closed, account: account.name)
            }
            try open(home, for: account)
        }
        LocalFiles.removeTree(draft)
        try LocalFiles.makeDirectories(home + "/log", mode: account.isOther ? 0o711 : 0o700)
    }

    /// Lets an account walk through a directory of ours. What lies in it is closed one by one.
    private func open(_ directory: String, for account: ServerAccount) throws(EmbeddedFault) {
        guard !account.mayEnter(directory), let status = LocalFiles.status(directory) else { return }
        guard chmod(directory, status.permissions | S_IXOTH) == 0 else {
            throw LocalFiles.failure(directory)
        }
    }

    /// A new directory that everybody may walk to, with `home` in the data directory leading to it.
    private func makeCommonHome(for account: ServerAccount) throws(EmbeddedFault) -> String {
        let name = String(UInt64.random(in: .min ... .max), radix: 16)
        let place = "\(Self.commonPlace)/\(name)"
        do {
            try LocalFiles.makeDirectories(place, mode: 0o711)
        } catch {
            throw .outOfReach(path: path, account: account.name)
        }
        guard symlink(place, path + "/home") == 0 else { throw LocalFiles.failure(path + "/home") }
        return place
    }
}

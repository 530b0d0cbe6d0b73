#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The user that runs PostgreSQL: the one that runs Apus, except that PostgreSQL refuses to run as root.
struct ServerAccount: Sendable, Equatable {
    var name: String
    var user: uid_t
    var group: gid_t
    /// Whether Apus is root and gives up its rights for PostgreSQL.
    var isOther: Bool

    /// The account for the cluster in `cluster`. As root: whoever owns a cluster that exists; for a new one
    /// `postgres`, where the system has it, or `nobody`.
    static func forCluster(_ cluster: String) throws(EmbeddedFault) -> ServerAccount {
        let user = geteuid()
        let owner = LocalFiles.status(cluster)?.owner
        guard user == 0 else {
            if let owner, owner != user {
                throw .notWritable(path: cluster, reason: "it belongs to user \(name(of: owner))")
            }
            return ServerAccount(name: name(of: user), user: user, group: getegid(), isOther: false)
        }
        let candidate =
            owner.flatMap { $0 == 0 ? nil : lookUp { getpwuid_r($0, $1, $2, $3, $4) }($0) }
            ?? named("postgres") ?? named("nobody")
        guard let candidate else {
            throw .outOfReach(path: cluster, account: "postgres, which does not exist")
        }
        return candidate
    }

    /// The first directory on the way to `path`, `path` excluded, that this account may not enter; nil if it
    /// may walk there. Looks at the permission bits, not at access control lists.
    func firstClosedDirectory(above path: String) -> String? {
        guard isOther else { return nil }
        var ancestors: [String] = []
        var place = path
        while place != "/" {
            place = LocalFiles.parent(place)
            ancestors.append(place)
        }
        return ancestors.reversed().first { !mayEnter($0) }
    }

    /// Whether the permission bits let this account walk through a directory.
    func mayEnter(_ directory: String) -> Bool {
        guard let status = LocalFiles.status(directory) else { return true }
        if status.owner == user { return status.mode & S_IXUSR != 0 }
        if status.group == group { return status.mode & S_IXGRP != 0 }
        return status.mode & S_IXOTH != 0
    }

    /// Makes a directory of this account's own, which nobody else may enter.
    func makeOwnDirectory(_ path: String) throws(EmbeddedFault) {
        try LocalFiles.makeDirectories(path, mode: 0o700)
        try own(path)
    }

    /// Gives a file to this account.
    func own(_ path: String) throws(EmbeddedFault) {
        guard isOther else { return }
        guard lchown(path, user, group) == 0 else { throw LocalFiles.failure(path) }
    }

    // MARK: - Non public

    private static func named(_ name: String) -> ServerAccount? {
        lookUp { getpwnam_r($0, $1, $2, $3, $4) }(name)
    }

    private static func name(of user: uid_t) -> String {
        lookUp { getpwuid_r($0, $1, $2, $3, $4) }(user)?.name ?? String(user)
    }

    private typealias Entry = UnsafeMutablePointer<passwd>
    private typealias Search<Key> = (
        Key, Entry, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<Entry?>
    ) -> Int32

    /// One entry of the user database, by the reentrant calls.
    private static func lookUp<Key>(_ search: @escaping Search<Key>) -> (Key) -> ServerAccount? {
        { key in
            var entry = passwd()
            var found: Entry?
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 * 1024) { buffer in
                guard let base = buffer.baseAddress,
                    search(key, &entry, base, buffer.count, &found) == 0, let found
                else { return nil }
                return ServerAccount(
                    name: String(cString: found.pointee.pw_name), user: found.pointee.pw_uid,
                    group: found.pointee.pw_gid, isOther: true)
            }
        }
    }
}

import ApusFaults
import Testing

@testable import ApusPostgres

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Directories with long or odd names, out of reach, or on a full disk.
@Suite("The embedded PostgreSQL finds its place")
struct EmbeddedPlaceTests {
    private let scratch: EmbeddedScratch

    init() throws { scratch = try EmbeddedScratch() }

    @Test("Spaces and quotes in the path")
    func oddPath() async throws {
        let place = scratch.path + "/it's a \u{1F426}; dir"
        try await scratch.withServer(at: place) { _, place in
            #expect(place.socketDirectory.hasPrefix(scratch.path))
            #expect(PlainConnection(place.conninfo()) != nil)
        }
    }

    @Test(
        "A path too long for a socket, or with a comma: the socket lies elsewhere, in a directory of ours alone",
        arguments: [String(repeating: "long", count: 30), "one, two"])
    func unusableForSocket(_ name: String) async throws {
        let place = scratch.path + "/" + name
        try await scratch.withServer(at: place) { _, connection in
            #expect(connection.socketDirectory.hasPrefix("/tmp/apus-"))
            #expect(PlainConnection(connection.conninfo()) != nil)
            #expect(LocalFiles.linkTarget(place + "/run") == connection.socketDirectory)
            #expect(LocalFiles.status(connection.socketDirectory)?.permissions == 0o700)
        }
        let short = try #require(LocalFiles.linkTarget(place + "/run"))
        try #require(chmod(short, 0o755) == 0)
        await #expect(
            throws: EmbeddedFault.unsafeSocketDirectory(path: short, reason: "is open to other users")
        ) {
            try await scratch.server(at: place).start()
        }
        LocalFiles.removeTree(short)
    }

    @Test(
        "As root, in a directory that only root may enter: PostgreSQL's part lies in a common place",
        .enabled(if: geteuid() == 0, "needs root"))
    func outOfReach() async throws {
        try #require(chmod(scratch.path, 0o700) == 0)
        for _ in 0..<2 {
            try await scratch.withServer { _, place in
                #expect(place.socketDirectory.hasPrefix(DataDirectory.commonPlace))
                #expect(PlainConnection(place.conninfo()) != nil)
            }
        }
        let home = try #require(LocalFiles.linkTarget(scratch.data + "/home"))
        #expect(LocalFiles.status(home + "/postgres")?.permissions == 0o700)
        LocalFiles.removeTree(home)
    }

    @Test("Too little room for a cluster is seen beforehand", .enabled(if: Mount.isPossible, Mount.why))
    func smallDisk() async throws {
        let mount = try Mount(at: scratch.path + "/disk", options: "size=64m")
        defer { mount.end() }
        let fault = await #expect(throws: EmbeddedFault.self) {
            try await scratch.server(at: mount.path + "/data").start()
        }
        #expect(fault?.fault.code == "APUS107")
        #expect(LocalFiles.names(in: mount.path) == [])
    }

    @Test(
        "A disk that fills up on the way: nothing of the attempt is left",
        .enabled(if: Mount.isPossible, Mount.why))
    func fullDisk() async throws {
        let mount = try Mount(at: scratch.path + "/disk", options: "size=512m,nr_inodes=300")
        defer { mount.end() }
        let fault = await #expect(throws: EmbeddedFault.self) {
            try await scratch.server(at: mount.path + "/data").start()
        }
        #expect(fault?.fault.code == "APUS107")
        let left = try #require(LocalFiles.names(in: mount.path + "/data")).sorted()
        #expect(left == ["apus-data", "apus.lock", "log"])
    }

    @Test("A log that grows too long is cut; its newest part is kept")
    func cutsLog() throws {
        let log = ServerLog(path: scratch.path + "/postgres.log", limit: 1024)
        let line = "0123456789abcdef0123456789abcde\n"
        try LocalFiles.write(String(repeating: line, count: 32), to: log.path)
        log.cutIfLong()
        #expect(log.length == 1024)
        try LocalFiles.write(String(repeating: line, count: 33) + "the last line\n", to: log.path)
        log.cutIfLong()
        #expect(log.length == 0)
        #expect(LocalFiles.read(log.path + ".1")?.hasSuffix("the last line\n") == true)
    }

    @Test("Connection strings quote what they must")
    func conninfo() {
        let place = EmbeddedConnection(socketDirectory: #"/it's a \ dir"#, port: 5432)
        #expect(
            place.conninfo(user: "authenticator", database: "app")
                == #"host='/it\'s a \\ dir' port=5432 user='authenticator' dbname='app'"#)
    }
}

/// A small file system in memory, for disks that are full.
private struct Mount {
    let path: String

    static var isPossible: Bool {
        #if os(Linux)
            guard geteuid() == 0, let scratch = try? EmbeddedScratch(),
                let mount = try? Mount(at: scratch.path + "/disk", options: "size=1m")
            else { return false }
            mount.end()
            return true
        #else
            return false
        #endif
    }
    static let why: Comment = "needs the right to mount a file system"

    init(at path: String, options: String) throws {
        self.path = path
        try LocalFiles.makeDirectories(path, mode: 0o755)
        #if os(Linux)
            try #require(mount("tmpfs", path, "tmpfs", 0, options + ",mode=0755") == 0)
        #endif
    }

    func end() {
        #if os(Linux)
            umount2(path, Int32(MNT_DETACH))
        #endif
    }
}

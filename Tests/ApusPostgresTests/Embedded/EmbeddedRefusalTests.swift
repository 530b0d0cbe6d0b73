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

/// What the embedded server refuses, with which code, and that it touches nothing then.
@Suite("The embedded PostgreSQL refuses")
struct EmbeddedRefusalTests {
    private let scratch: EmbeddedScratch

    init() throws { scratch = try EmbeddedScratch() }

    /// The code that a start fails with; the data directory must look the same before and after.
    private func refusal(at place: String? = nil) async throws -> EmbeddedFault {
        let before = scratch.inventory()
        let fault = try #require(
            await #expect(throws: EmbeddedFault.self) { try await scratch.server(at: place).start() })
        #expect(scratch.inventory() == before)
        return fault
    }

    @Test("A directory with somebody else's files")
    func foreignDirectory() async throws {
        try LocalFiles.makeDirectories(scratch.data, mode: 0o700)
        try LocalFiles.write("dear diary\n", to: scratch.data + "/diary.txt")
        let fault = try await refusal()
        #expect(fault.fault.code == "APUS101")
        #expect(fault.description.contains("diary.txt"))
    }

    @Test("Another PostgreSQL cluster")
    func foreignCluster() async throws {
        try LocalFiles.makeDirectories(scratch.data + "/base", mode: 0o700)
        try LocalFiles.write("18\n", to: scratch.data + "/PG_VERSION")
        let fault = try await refusal()
        #expect(fault.fault.code == "APUS101")
        #expect(fault.description.contains("another PostgreSQL cluster"))
    }

    @Test("Data of another major version", arguments: ["9.6", "14", "99"])
    func otherVersion(_ version: String) async throws {
        try LocalFiles.makeDirectories(scratch.data + "/postgres", mode: 0o700)
        try LocalFiles.write("This directory belongs to Apus.\n", to: scratch.data + "/apus-data")
        try LocalFiles.write(version + "\n", to: scratch.data + "/postgres/PG_VERSION")
        #expect(try await refusal().fault.code == "APUS104")
    }

    @Test("A file where the directory should be")
    func notADirectory() async throws {
        try LocalFiles.write("", to: scratch.data)
        #expect(try await refusal().fault.code == "APUS103")
    }

    @Test("A directory that may not be written", .enabled(if: geteuid() != 0, "root may write everywhere"))
    func notWritable() async throws {
        try LocalFiles.makeDirectories(scratch.data, mode: 0o500)
        #expect(try await refusal().fault.code == "APUS103")
    }

    @Test("A path that PostgreSQL's tools would misread", arguments: ["a\"b", "a$b", "a`b", "a\\b", "a\nb"])
    func unusablePath(_ name: String) async throws {
        #expect(try await refusal(at: scratch.path + "/" + name).fault.code == "APUS114")
    }

    @Test("Programs that are named but are none")
    func unsuitablePrograms() async throws {
        await #expect(
            throws: EmbeddedFault.programsUnsuitable(path: "/nowhere", reason: "there is no such directory")
        ) {
            try await PostgresPrograms.find(setting: "/nowhere")
        }
        let fault = await #expect(throws: EmbeddedFault.self) {
            try await PostgresPrograms.find(setting: scratch.path)
        }
        #expect(fault?.fault.code == "APUS106")
    }

    @Test("Programs of a version that is too old")
    func oldPrograms() async throws {
        for program in ["postgres", "initdb", "pg_ctl"] {
            try LocalFiles.write(
                "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9 (Debian 14.9-1)'\n",
                to: "\(scratch.path)/\(program)",
                mode: 0o755)
        }
        let fault = await #expect(throws: EmbeddedFault.self) {
            try await PostgresPrograms.find(setting: scratch.path)
        }
        #expect(fault == .programsUnsuitable(path: scratch.path, reason: "it is PostgreSQL 14"))
    }

    @Test("A setting that keeps PostgreSQL from starting: its own words reach the operator")
    func startFails() async throws {
        try await scratch.withServer { _, place in
            let connection = try #require(PlainConnection(place.conninfo()))
            _ = connection.value("alter system set shared_preload_libraries = 'no_such_library'")
        }
        let fault = await #expect(throws: EmbeddedFault.self) { try await scratch.server().start() }
        guard case .startFailed(let reason, _) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(reason.contains("no_such_library"))
        // The lock is free again.
        #expect(unlink(scratch.data + "/postgres/postgresql.auto.conf") == 0)
        try await scratch.withServer { _, place in #expect(PlainConnection(place.conninfo()) != nil) }
    }
}

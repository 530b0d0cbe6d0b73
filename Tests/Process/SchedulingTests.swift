#if os(Linux)
    import ApusTestSupport
    import Foundation
    import Testing

    /// In which scheduling class the threads of the server and of its PostgreSQL run (sched(7)).
    @Suite struct SchedulingTests {
        private static let other: Int32 = 0
        private static let batch: Int32 = 3

        @Test func allThreadsAndThePrivateDatabaseRunInTheBatchClass() async throws {
            let server = try await ServerProcess.start(migration: Fixture.migration)
            // So that event loops, reactor and a backend are there.
            #expect(try await Curl.get("\(server.url)/rest/v1/things?id=eq.1").status == 200)
            let postmaster = try #require(server.postmaster)
            #expect(try classes(of: server.processID) == [Self.batch])
            #expect(try classes(of: postmaster) == [Self.batch])
            #expect(try children(of: postmaster).flatMap(classes).allSatisfy { $0 == Self.batch })
        }

        @Test func theClassStaysWhereThatIsAskedFor() async throws {
            let server = try await ServerProcess.start(
                migration: Fixture.migration, ["--server-scheduling", "normal"])
            #expect(try classes(of: server.processID) == [Self.other])
            #expect(try classes(of: #require(server.postmaster)) == [Self.other])
        }

        // MARK: - Non public

        /// Those of a process's threads.
        private func classes(of process: pid_t) throws -> Set<Int32> {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
            // One may have ended since.
            return Set(threads.compactMap { pid_t($0) }.map { sched_getscheduler($0) }.filter { $0 >= 0 })
        }

        private func children(of process: pid_t) throws -> [pid_t] {
            try String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
                .split(separator: " ").compactMap { pid_t($0) }
        }
    }
#endif

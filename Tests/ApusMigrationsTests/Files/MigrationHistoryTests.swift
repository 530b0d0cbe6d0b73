import ApusFaults
import Testing

@testable import ApusMigrations

@Suite("Files against what was applied")
struct MigrationHistoryTests {
    private func file(_ name: String, _ text: String = "select 1") throws -> MigrationFile {
        MigrationFile(
            name: try #require(MigrationName(fileName: name)),
            script: try ScriptFile(name: name, bytes: text.utf8))
    }

    private func applied(_ file: MigrationFile) -> MigrationHistory.Applied {
        .init(name: file.name, checksum: file.script.checksum, appliedAt: "then")
    }

    private func pending(_ history: MigrationHistory) -> Result<[String], FaultCode> {
        do throws(MigrationFault) {
            return .success(try history.pending().map(\.name.version))
        } catch {
            return .failure(FaultCode(code: error.fault.code))
        }
    }

    private struct FaultCode: Error, Equatable { let code: String }

    @Test("What is not applied is pending, in order")
    func plain() throws {
        let files = [try file("0001_a.sql"), try file("0002_b.sql"), try file("0003_c.sql")]
        let history = MigrationHistory(files: files, applied: [applied(files[0])])
        #expect(pending(history) == .success(["0002", "0003"]))
        #expect(history.entries.map(\.state) == [.applied(at: "then"), .pending, .pending])
    }

    @Test("A changed file, a missing file and a gap stop everything")
    func wrong() throws {
        let files = [try file("0001_a.sql"), try file("0002_b.sql")]
        let other = try file("0001_a.sql", "select 2")
        #expect(
            pending(.init(files: files, applied: [applied(other)])) == .failure(FaultCode(code: "APUS215")))
        #expect(
            pending(.init(files: [files[1]], applied: [applied(files[0])]))
                == .failure(FaultCode(code: "APUS216")))
        #expect(
            pending(.init(files: files, applied: [applied(files[1])])) == .failure(FaultCode(code: "APUS217"))
        )
    }

    @Test("Status tells all of them, in order of version")
    func entries() throws {
        let (first, third, fourth) = (try file("0001_a.sql"), try file("0003_c.sql"), try file("0004_d.sql"))
        let gone = try file("0002_b.sql")
        let changed = try file("0004_d.sql", "select 2")
        let history = MigrationHistory(
            files: [first, third, fourth], applied: [applied(gone), applied(changed)])
        #expect(
            history.entries.map(\.state) == [
                .outOfOrder(newest: changed.name), .missing(appliedAt: "then"),
                .outOfOrder(newest: changed.name), .changed(appliedAt: "then"),
            ])
    }

    @Test("A file keeps its identity when only the words in its name change")
    func renamed() throws {
        let history = MigrationHistory(
            files: [try file("0001_better.sql")], applied: [applied(try file("0001_a.sql"))])
        #expect(pending(history) == .success([]))
    }
}

import ApusFaults
import Foundation
import Testing

@testable import ApusMigrations

@Suite("A directory of migrations")
struct MigrationDirectoryTests {
    @Test("Names have a version of 4 or 14 digits and a plain name")
    func names() {
        #expect(MigrationName(fileName: "0001_first.sql")?.version == "0001")
        #expect(MigrationName(fileName: "20260105090000_a-b_c.sql")?.name == "a-b_c")
        for name in [
            "1_a.sql", "00001_a.sql", "0001.sql", "0001_.sql", "0001_a b.sql", "0001_a.SQL", "a_0001.sql",
            "0001-a.sql", "٠٠٠١_a.sql", "2026010509000_a.sql",
        ] {
            #expect(MigrationName(fileName: name) == nil, "\(name)")
        }
    }

    @Test("Numbers come before times, and each in their order")
    func order() throws {
        let names = ["20260105090000_b", "0010_a", "0009_z", "20250105090000_c"].compactMap {
            MigrationName(fileName: $0 + ".sql")
        }
        #expect(names.sorted().map(\.version) == ["0009", "0010", "20250105090000", "20260105090000"])
    }

    @Test("Files come in order; what is hidden or no SQL is left alone")
    func files() throws {
        let directory = try TemporaryDirectory([
            "0002_b.sql": "select 2", "0001_a.sql": "select 1", "README.md": "x", ".0003_c.sql": "x",
        ])
        #expect(try directory.migrations.files().map(\.name.version) == ["0001", "0002"])
    }

    @Test(
        "A directory that cannot be right is a fault",
        arguments: [
            (["0001_a.sql": "", "notes.sql": ""], "APUS211"),
            (["0001_a.sql": "", "0001_b.sql": ""], "APUS212"),
            (["0001_a.sql": "\0"], "APUS213"), (["0001_a.sql": "commit"], "APUS214"),
        ])
    func wrong(files: [String: String], code: String) throws {
        let directory = try TemporaryDirectory(files)
        #expect(code == faultCode { () throws(MigrationFault) in _ = try directory.migrations.files() })
    }

    @Test("A directory that is not there is a fault")
    func absent() {
        let code = faultCode { () throws(MigrationFault) in
            _ = try MigrationDirectory(path: "/nowhere/migrations").files()
        }
        #expect(code == "APUS210")
    }

    @Test("A new file gets the time as its version, and a name from any words")
    func create() throws {
        let directory = try TemporaryDirectory([:])
        let inner = MigrationDirectory(path: directory.path + "/migrations")
        let path = try inner.create("Add e-mail, to people!", now: Date(timeIntervalSince1970: 1_767_603_605))
        #expect(path.hasSuffix("/migrations/20260105090005_add_e_mail_to_people.sql"))
        #expect(try inner.files().count == 1)
        // The same second again would overwrite it.
        #expect(throws: MigrationFault.self) {
            try inner.create("Add e-mail to people", now: Date(timeIntervalSince1970: 1_767_603_605))
        }
        #expect(throws: MigrationFault.self) { try inner.create("…") }
    }

    private func faultCode(_ body: () throws(MigrationFault) -> Void) -> String? {
        do throws(MigrationFault) {
            try body()
            return nil
        } catch {
            return error.fault.code
        }
    }
}

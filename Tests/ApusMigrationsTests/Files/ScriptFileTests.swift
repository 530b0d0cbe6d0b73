import ApusFaults
import Testing

@testable import ApusMigrations

@Suite("Reading a file of SQL")
struct ScriptFileTests {
    private func file(_ text: String) throws -> ScriptFile { try ScriptFile(name: "a.sql", bytes: text.utf8) }

    /// The code of the fault that reading must end with.
    private func code(_ text: String) -> String? {
        do throws(MigrationFault) {
            _ = try ScriptFile(name: "a.sql", bytes: text.utf8)
            return nil
        } catch {
            return error.fault.code
        }
    }

    @Test("The checksum is SHA-256, and line ends of another system are no change")
    func checksum() throws {
        // printf 'select 1;\n' | sha256sum
        let expected = "4a45092ccf992ea92250053a80b931b787924ba61648f420555511b84f10ab6c"
        #expect(try file("select 1;\n").checksum == expected)
        #expect(try file("select 1;\r\n").checksum == expected)
        #expect(try file("\u{FEFF}select 1;\n").checksum == expected)
        #expect(try file("select 2;\n").checksum != expected)
        #expect(try file("select 1;\r").checksum != expected)
    }

    @Test("Only the first line can turn the transaction off")
    func directive() throws {
        #expect(try file("select 1").isTransactional)
        #expect(try !file("-- apus: no-transaction\nselect 1").isTransactional)
        #expect(try !file("--apus:  no-transaction \r\nselect 1").isTransactional)
        #expect(try file("-- note\n-- apus: no-transaction\n").isTransactional)
        #expect(code("-- apus: no-transactions\n") == "APUS213")
        #expect(code("-- apus: \n") == "APUS213")
    }

    @Test("What is no text is refused")
    func encoding() {
        #expect(throws: MigrationFault.self) { try ScriptFile(name: "a.sql", bytes: [0x73, 0xFF]) }
        #expect(code("select 1;\0") == "APUS213")
    }

    @Test(
        "Statements that cannot run from a file are refused before it runs",
        arguments: [
            "begin; select 1; commit", "select 1; commit", "copy t from stdin;\n1\n\\.\n", "\\set x 1",
            "-- apus: no-transaction\nbegin; select 1", "-- apus: no-transaction\n\\connect x",
        ])
    func refused(text: String) {
        #expect(code(text) == "APUS214")
    }

    @Test("Without a transaction of ours, a file may have its own; savepoints are free")
    func allowed() {
        #expect(code("-- apus: no-transaction\nbegin; select 1; commit; vacuum") == nil)
        #expect(code("savepoint s; select 1; rollback to s") == nil)
    }

    @Test("A refusal names the place")
    func place() {
        do throws(MigrationFault) {
            _ = try ScriptFile(name: "a.sql", bytes: "select 1;\n  commit;".utf8)
            Issue.record("the file was taken")
        } catch {
            #expect(error.fault.message.hasPrefix("a.sql:2:3: "))
            #expect(error.fault.details == "commit")
        }
    }
}

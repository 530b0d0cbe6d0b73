import ApusFaults
import ApusServer
import Testing

/// A configuration that cannot hold stops the start with a sentence that names what is wrong.
@Suite struct SettingsTests {
    private func refusal(
        _ flags: [(name: String, value: String?)], _ environment: [String: String] = [:]
    ) -> Fault? {
        do throws(SettingsFault) {
            _ = try Settings(try RawSettings(flags: flags, environment: environment, file: nil))
            return nil
        } catch {
            return error.fault
        }
    }

    @Test func unknownFlag() throws {
        let fault = try #require(refusal([("db-schema-names", "api")]))
        #expect(fault.code == "APUS001")
        #expect(fault.message == "There is no setting 'db-schema-names' (flag --db-schema-names).")
    }

    @Test func nearlyTheRightName() throws {
        let fault = try #require(refusal([("db-schemaz", "api")]))
        #expect(fault.hint?.hasPrefix("Did you mean 'db-schema") == true)
    }

    @Test func unknownVariable() throws {
        let fault = try #require(refusal([], ["APUS_SERVER_PROT": "80"]))
        #expect(fault.message == "There is no setting 'APUS_SERVER_PROT' (environment).")
        #expect(fault.hint == "Did you mean 'APUS_SERVER_PORT'?")
    }

    @Test(arguments: [
        ("server-port", "eighty", "a whole number from 0 to 65535"), ("server-port", "70000", "65535"),
        ("db-aggregates-enabled", "maybe", "true or false"), ("db-tx-end", "never", "one of: commit"),
    ])
    func badValue(name: String, value: String, expected: String) throws {
        let fault = try #require(refusal([(name, value)]))
        #expect(fault.code == "APUS002")
        #expect(fault.message == "The setting '\(name)' cannot be '\(value)' (flag --\(name)).")
        #expect(fault.hint?.contains(expected) == true)
    }

    @Test func flagsWinOverTheEnvironment() throws {
        let settings = try Settings(
            RawSettings(
                flags: [("server-port", "1")], environment: ["APUS_SERVER_PORT": "2", "APUS_DB_POOL": "3"],
                file: nil))
        #expect(settings.integer("server-port") == 1)
        #expect(settings.integer("db-pool") == 3)
    }

    @Test func secretsAreNotShown() throws {
        let settings = try Settings(
            RawSettings(flags: [("jwt-secret", "very-secret-indeed")], environment: [:], file: nil))
        #expect(!settings.shown.contains { $0.value.contains("very-secret") })
    }
}

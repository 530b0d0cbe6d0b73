import ApusFaults
import Testing

@testable import ApusPostgres

@Suite struct FaultMappingTests {
    private func kind(_ state: String, _ message: String = "", isAnonymous: Bool = false) -> Fault.Kind {
        PostgresFault(.server, message, sqlState: state).fault(isAnonymous: isAnonymous).kind
    }

    @Test(arguments: [
        ("08006", Fault.Kind.unavailable), ("09000", .internal), ("0L000", .forbidden), ("0P000", .forbidden),
        ("23503", .conflict), ("23505", .conflict), ("23514", .invalid), ("25006", .methodNotAllowed),
        ("25P02", .internal), ("28000", .forbidden), ("2D000", .internal), ("38000", .internal),
        ("39000", .internal), ("3B000", .internal), ("40001", .internal), ("53400", .internal),
        ("53300", .unavailable), ("54000", .internal), ("55P03", .internal), ("57P01", .unavailable),
        ("57014", .internal), ("58000", .internal), ("F0000", .internal), ("HV000", .internal),
        ("P0001", .invalid), ("P0002", .internal), ("XX000", .internal), ("42883", .notFound),
        ("42P01", .notFound), ("42P17", .internal), ("22P02", .invalid), ("PT402", .status(402)),
        ("PTabc", .internal),
    ])
    func anSQLStateHasTheStatusOfTheDialect(_ state: String, _ expected: Fault.Kind) {
        #expect(kind(state) == expected)
    }

    @Test func someDependOnTheMessage() {
        #expect(kind("21000", "DELETE requires a WHERE clause") == .invalid)
        #expect(kind("21000", "more than one row returned") == .internal)
        #expect(kind("22023", "role \"x\" does not exist") == .unauthenticated)
        #expect(kind("22023", "something else") == .invalid)
        #expect(kind("42883", "function xmlagg(record) does not exist") == .notAcceptable)
    }

    @Test func aMissingPrivilegeDependsOnWhoAsks() {
        #expect(kind("42501") == .forbidden)
        #expect(kind("42501", isAnonymous: true) == .unauthenticated)
        let fields = PostgresFault(.server, "", sqlState: "42501").fault(isAnonymous: true).fields
        #expect(fields == [.init(name: "WWW-Authenticate", value: "Bearer")])
    }

    @Test func troubleWithTheConnectionHasCodesOfItsOwn() {
        #expect(PostgresFault(.unavailable, "x").fault.code == "PGRST000")
        #expect(PostgresFault(.connectionLost, "x").fault.code == "PGRST001")
        #expect(PostgresFault(.poolTimeout, "x").fault.code == "PGRST003")
        #expect(PostgresFault(.poolTimeout, "x").fault.kind == .status(504))
        let lost = PostgresFault(.connectionLost, "x", mayHaveHappened: true).fault
        #expect(lost.mayHaveHappened)
        #expect(lost.details == "x")
    }
}

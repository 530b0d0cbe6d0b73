import Testing

/// `Prefer` in general: strictness, and the time zone.
@Suite struct PreferenceTests {
    let server: TestServer

    init() async throws { server = try await Servers.reading.value }

    @Test func unknownPreferenceIsForgiven() async throws {
        let reply = await server.get("publishers", ["Prefer": "speed=high, handling=lenient"])
        #expect(reply.status == 200)
        #expect(reply.field("Preference-Applied") == "handling=lenient")
    }

    @Test func unknownPreferenceUnderStrictHandling() async throws {
        let reply = await server.get("publishers", ["Prefer": "speed=high, handling=strict, mood=good"])
        #expect(reply.status == 400)
        #expect(reply.code == "PGRST122")
        #expect(reply.message == "Invalid preferences given with handling=strict")
        #expect(reply.details == "Invalid preferences: speed=high, mood=good")
    }

    @Test func timeZone() async throws {
        let there = await server.get("rpc/now_text", ["Prefer": "timezone=Asia/Tokyo"])
        #expect(try there.json == "21:00")
        #expect(there.field("Preference-Applied") == "timezone=Asia/Tokyo")
    }

    @Test func unknownTimeZone() async throws {
        for preferences in ["timezone=Mars/Dome", "timezone=Mars/Dome, handling=strict"] {
            let reply = await server.get("rpc/now_text", ["Prefer": preferences])
            #expect(reply.status == 400)
            #expect(reply.code == "22023")
        }
    }

    @Test func timeZoneAsOffset() async throws {
        let there = await server.get("rpc/now_text", ["Prefer": "timezone=-4"])
        #expect(try there.json == "08:00")
        #expect(there.field("Preference-Applied") == "timezone=-4")
    }

    @Test func transactionIsNotTheClientsToEndByDefault() async throws {
        let reply = await server.get("publishers", ["Prefer": "tx=rollback"])
        #expect(reply.status == 200)
        #expect(reply.field("Preference-Applied") == nil)
    }
}

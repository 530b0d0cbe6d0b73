import Testing

@testable import ApusMessages

@Suite("Standard Webhooks")
struct StandardWebhookTests {
    /// The vector that the specification's libraries share.
    @Test func theSignatureIsTheSpecifications() throws {
        let webhook = try #require(StandardWebhook(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let fields = webhook.fields(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(fields.map(\.value).last == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("What is no secret is refused", arguments: ["", "whsec_", "whsec_c2hvcnQ=", "secret", "whsec_***"])
    func noSecret(_ text: String) { #expect(StandardWebhook(secret: text) == nil) }
}

import ApusJSON
package import ApusOutbound

/// Hands text messages to a service of the operator's by a signed POST: whatever sends them there, this is all that
/// Apus knows of it.
///
/// The body is that of GoTrue's hook that sends text messages, so a receiver for one is one for the other:
/// `{"user":{"id","phone"},"sms":{"otp","phone","message"}}`.
package struct SMSWebhook: Sendable {
    private let url: OutboundURL
    private let signature: StandardWebhook?
    private let client: OutboundClient
    private let templates: MessageTemplates

    package init(
        url: OutboundURL, signature: StandardWebhook?, client: OutboundClient, templates: MessageTemplates
    ) {
        self.url = url
        self.signature = signature
        self.client = client
        self.templates = templates
    }

    /// Returns when the service has answered 2yz.
    ///
    /// - Parameter seconds: since 1970.
    package func send(_ message: Message, seconds: Int) async throws(DeliveryFailure) {
        let body = self.body(message)
        var fields = [(name: "Content-Type", value: "application/json")]
        if let signature {
            fields += signature.fields(id: message.id, seconds: seconds, body: body)
        }
        let response: OutboundClient.Response
        do throws(OutboundFailure) {
            response = try await client.send(.init("POST", url, fields: fields, body: body), limit: 64 << 10)
        } catch {
            throw .unreachable(error.reason)
        }
        switch response.status {
        case 200..<300: return
        case 408, 425, 429, 500...: throw .passing("the sender of text messages answered \(response.status)")
        // Standard Webhooks: the receiver is gone.
        default: throw .permanent("the sender of text messages answered \(response.status)")
        }
    }

    private func body(_ message: Message) -> [UInt8] {
        var user: JSONObject = ["phone": .string(message.recipient)]
        if let id = message.userID { user["id"] = .string(id) }
        let sms: JSONObject = [
            "otp": .string(message.values["Token"] ?? ""), "phone": .string(message.recipient),
            "message": .string(templates.text(message)),
        ]
        return JSONValue.object(["user": .object(user), "sms": .object(sms)]).bytes
    }
}

import ApusJSON
package import ApusOutbound

/// Code of the operator's that is asked about what authentication is about to do: a function of the database, or a
/// receiver of signed requests (Standard Webhooks 1.0). What goes in and out is GoTrue's.
package struct Hook: Sendable {
    /// Signs a request: the header fields for an id, a time in seconds since 1970 and a body.
    package typealias Sign =
        @Sendable (_ id: String, _ seconds: Int, _ body: [UInt8]) -> [(name: String, value: String)]

    package enum Target: Sendable {
        case function(HookFunction)
        case receiver(OutboundURL, Sign)
    }

    /// `before-user-created` and so on: the middle of its settings' names.
    package let name: String
    let target: Target

    /// Whether it only does something, and nothing depends on what it says.
    let needsNoAnswer: Bool

    package init(_ name: String, _ target: Target, needsNoAnswer: Bool = false) {
        self.name = name
        self.target = target
        self.needsNoAnswer = needsNoAnswer
    }

    /// Bytes of a request and of an answer.
    static let limit = 200_000
    /// For a function; and for a receiver, over all tries.
    static let functionPatience = "2s"
    static let receiverPatience = Duration.seconds(5)
    static let tries = 3

    /// The object that came back.
    ///
    /// - Throws: the refusal that it holds, `{"error": {"http_code", "message"}}`; 500 for what is no object.
    func answer(_ bytes: [UInt8]?) throws(AuthFault) -> JSONObject {
        guard let bytes, let object = try? JSONReader.read(bytes).object else {
            throw failed("it did not return a JSON object")
        }
        guard let error = object["error"]?.object else { return object }
        var status = 500
        if case .number(let text)? = error["http_code"], let code = Int(text), (400..<600).contains(code) {
            status = code
        }
        throw AuthFault(
            status, status >= 500 ? "unexpected_failure" : "hook_rejected",
            String((error["message"]?.text ?? "Refused").prefix(1_000)))
    }

    func failed(_ reason: String) -> AuthFault {
        AuthFault(500, "unexpected_failure", "The hook \(name) failed: \(reason)")
    }

    func timedOut(afterRetries: Bool) -> AuthFault {
        AuthFault(
            422, afterRetries ? "hook_timeout_after_retry" : "hook_timeout",
            "The hook \(name) did not answer in time")
    }
}

/// The hooks that are set; nil where nobody is asked.
package struct Hooks: Sendable {
    /// May refuse a user who would be created.
    package var beforeUserCreated: Hook?
    /// May refuse a sign-in by password after it was checked.
    package var passwordAttempt: Hook?
    /// May refuse a second factor after it was checked.
    package var factorAttempt: Hook?
    /// Whether a service writes to people instead of us. Then both mails of a change of address are one errand, as GoTrue's
    /// hook has it.
    package var sendsMail = false

    package init() {}
}

import ApusAuth
import ApusFaults
import ApusMessages
import ApusOutbound

extension Settings {
    /// Who is asked about what authentication does.
    ///
    /// - Throws: for one that cannot be asked.
    func hooks() throws -> Hooks {
        var hooks = Hooks()
        hooks.beforeUserCreated = try hook("before-user-created")
        hooks.passwordAttempt = try hook("password-verification-attempt")
        hooks.factorAttempt = try hook("mfa-verification-attempt")
        return hooks
    }

    /// The hook of this name; nil when nobody is asked.
    ///
    /// - Parameter needsNoAnswer: whether it only does something.
    /// - Throws: for one that cannot be asked.
    func hook(_ name: String, needsNoAnswer: Bool = false) throws -> Hook? {
        guard let uri = string("auth-hook-\(name)-uri") else { return nil }
        guard uri.hasPrefix("https://") || uri.hasPrefix("http://") else {
            guard let function = HookFunction(uri) else {
                throw Self.refused(
                    "auth-hook-\(name)-uri", "it names neither a function nor a URL",
                    hint: "pg-functions://postgres/SCHEMA/FUNCTION")
            }
            return Hook(name, .function(function), needsNoAnswer: needsNoAnswer)
        }
        guard let url = OutboundURL(uri) else {
            throw Self.refused("auth-hook-\(name)-uri", "it is no URL")
        }
        let secrets = try (secret("auth-hook-\(name)-secrets") ?? "").split(separator: "|").map { text in
            StandardWebhook(secret: String(text))
        }
        guard !secrets.isEmpty, secrets.allSatisfy({ $0 != nil }) else {
            throw Self.refused("auth-hook-\(name)-secrets", "it is not whsec_ and base64 of 24 to 64 bytes")
        }
        let known = secrets.compactMap { $0 }
        return Hook(
            name,
            .receiver(url) { id, seconds, body in
                let signed = known.map { $0.fields(id: id, seconds: seconds, body: body) }
                let signatures = signed.compactMap { $0.last?.value }.joined(separator: " ")
                return (signed.first ?? []).dropLast() + [(name: "webhook-signature", value: signatures)]
            }, needsNoAnswer: needsNoAnswer)
    }

    private static func refused(_ setting: String, _ reason: String, hint: String? = nil) -> Fault {
        Fault(
            code: "APUS002", kind: .invalid, message: "The setting '\(setting)' does not hold: \(reason).",
            hint: hint)
    }
}

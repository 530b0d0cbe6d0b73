import ApusFaults
import ApusJSON
import ApusPostgres

/// Links in mails. Following one changes nothing: it shows a page with a button, and the button uses the token. So a
/// scanner that opens every link in a mail consumes nothing, and is never signed in.
extension AuthService {
    /// `GET /verify?token=&type=&redirect_to=`
    package func verifyPage(_ call: AuthCall) async throws -> AuthAnswer {
        let token = call.query["token"] ?? call.query["token_hash"] ?? ""
        let type = call.query["type"] ?? ""
        guard !token.isEmpty, token.utf8.count <= 256, OneTimePurpose.allowed(type: type) != nil else {
            return redirect(
                to: redirects.allowed(call.redirectTo), fault: .invalid("Verify requires a token and a type"),
                isPKCE: token.hasPrefix("pkce_"))
        }
        var answer = AuthAnswer(
            body: .html(VerifyPage.make(token: token, type: type, redirectTo: call.redirectTo ?? "")))
        answer.fields = VerifyPage.fields
        return answer
    }

    /// The page's button.
    func verifyFromPage(_ call: AuthCall) async throws -> AuthAnswer {
        let target = redirects.allowed(call.redirectTo)
        let token = try call.text("token", limit: 256) ?? ""
        let isPKCE = token.hasPrefix("pkce_")
        do {
            try await takeTry("verify", settings.verifyTries, of: call)
            guard let type = try call.text("type"), let purposes = OneTimePurpose.allowed(type: type),
                let used = OneTimeToken.read(
                    try await database.query(OneTimeToken.spending(link: token, purposes)))
            else { throw AuthFault.tokenExpired }
            let confirmation = try await confirm(used, call, opensSession: used.flow == nil)
            return try await redirect(to: target, confirmation, used)
        } catch let fault as AuthFault {
            await record(AuditEvent("user_verification", failure: fault.code), call)
            return redirect(to: target, fault: fault, isPKCE: isPKCE)
        }
    }

    private func redirect(
        to target: String, _ confirmation: Confirmation, _ used: OneTimeToken.Used
    ) async throws -> AuthAnswer {
        switch confirmation {
        case .halfDone:
            return .redirect(
                target + "#" + PercentEncoding.form([("message", Self.halfDoneMessage), ("sb", "")]))
        case .session(let pending):
            let grant = try await issue(pending)
            return .redirect(target + "#" + grant.fragment(type: used.purpose.type))
        case .confirmed(let user):
            guard let flow = used.flow else { throw AuthFault.unexpected }
            let code = UUIDText.random()
            let issued = try await database.query(
                CodeExchange.issuing(code, flow: flow, user: user, method: used.purpose.method))
            guard issued.count == 1 else { throw AuthFault.tokenExpired }
            return .redirect(Self.adding("code=\(code)", toQueryOf: target))
        }
    }

    /// An error, where the client looks for it: in the fragment, and for PKCE in the query as well.
    package func redirect(to target: String, fault: AuthFault, isPKCE: Bool) -> AuthAnswer {
        let error =
            switch fault.status {
            case 400, 422: "invalid_request"
            case 401: "unauthorized_client"
            case 500...: "server_error"
            default: "access_denied"
            }
        let pairs = PercentEncoding.form([
            ("error", error), ("error_code", fault.code), ("error_description", fault.message),
        ])
        let base = isPKCE ? Self.adding(pairs, toQueryOf: target) : target
        return .redirect(base + "#" + pairs + "&sb=")
    }

    /// A URL with more in its query.
    package static func adding(_ pairs: String, toQueryOf url: String) -> String {
        url + (url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + pairs
    }
}

extension SessionGrant {
    /// The grant as a client finds it in the fragment of the page it is sent to.
    package func fragment(type: String?) -> String {
        var pairs = [
            ("access_token", accessToken), ("token_type", "bearer"), ("expires_in", String(expiresIn)),
            ("expires_at", String(expiresAt)), ("refresh_token", refreshToken),
        ]
        for name in ["provider_token", "provider_refresh_token"] {
            if let token = more[name]?.text { pairs.append((name, token)) }
        }
        if let type { pairs.append(("type", type)) }
        return PercentEncoding.form(pairs + [("sb", "")])
    }
}

/// The page with the button.
enum VerifyPage {
    /// No script, no frame around it, nothing loaded, and the token in no `Referer`.
    static let fields: [HeaderField] = [
        .init(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"),
        .init("X-Frame-Options", "DENY"), .init("Referrer-Policy", "no-referrer"),
        .init("X-Content-Type-Options", "nosniff"), .init("X-Robots-Tag", "noindex"),
    ]

    static func make(token: String, type: String, redirectTo: String) -> String {
        let (title, button) = words(type)
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(title)</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto 0;max-width:24em;padding:0 1em;
            text-align:center;color-scheme:light dark}button{font:inherit;padding:.7em 2em;border:0;border-radius:.5em;
            background:#2b5fd9;color:#fff;cursor:pointer}</style></head>
            <body><h1>\(title)</h1>
            <form method="post"><input type="hidden" name="token" value="\(escaped(token))">
            <input type="hidden" name="type" value="\(escaped(type))">
            <input type="hidden" name="redirect_to" value="\(escaped(redirectTo))">
            <button type="submit" autofocus>\(button)</button></form></body></html>
            """
    }

    private static func words(_ type: String) -> (String, String) {
        switch type {
        case "recovery": ("Reset your password", "Continue")
        case "invite": ("You have been invited", "Accept")
        case "email_change": ("Change your e-mail address", "Confirm")
        case "signup": ("Confirm your e-mail address", "Confirm")
        default: ("Sign in", "Sign in")
        }
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

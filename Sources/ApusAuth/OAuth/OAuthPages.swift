import ApusFaults
import Crypto

/// The provider's own pages: plain forms, no script, nothing loaded from anywhere.
struct OAuthPages: Sendable {
    /// Path that the forms are sent to.
    let action: String

    func signIn(_ pending: PendingAuthorization, _ client: OAuthClient, message: String?) -> AuthAnswer {
        Self.page(
            "Sign in", status: message == nil ? 200 : 400, pending,
            """
            <h1>Sign in</h1><p>to continue to <b>\(Self.escaped(client.name))</b></p>\(Self.alert(message))
            <form method="post" action="\(Self.escaped(action))">\(Self.hidden(pending))
            <label>E-mail <input type="email" name="email" autocomplete="username" required autofocus
            value="\(Self.escaped(pending.loginHint ?? ""))"></label>
            <label>Password <input type="password" name="password" autocomplete="current-password" required></label>
            <button name="action" value="sign_in">Sign in</button>
            <button name="action" value="deny" class="quiet" formnovalidate>Cancel</button></form>
            """)
    }

    func factor(
        _ pending: PendingAuthorization, _ client: OAuthClient, message: String? = nil
    ) -> AuthAnswer {
        Self.page(
            "Second step", status: message == nil ? 200 : 400, pending,
            """
            <h1>Second step</h1><p>to continue to <b>\(Self.escaped(client.name))</b></p>\(Self.alert(message))
            <form method="post" action="\(Self.escaped(action))">\(Self.hidden(pending))
            <label>Code of your authenticator app, or a recovery code <input name="code" autocomplete="one-time-code"
            required autofocus></label>
            <button name="action" value="factor">Continue</button>
            <button name="action" value="deny" class="quiet" formnovalidate>Cancel</button></form>
            """)
    }

    func consent(_ pending: PendingAuthorization, _ client: OAuthClient, user: AuthUser) -> AuthAnswer {
        let items = pending.scopes.map { "<li>\(Self.words[$0] ?? Self.escaped($0))</li>" }.joined()
        let site =
            client.uri.map {
                #" (<a href="\#(Self.escaped($0))" rel="noopener noreferrer">\#(Self.escaped($0))</a>)"#
            } ?? ""
        return Self.page(
            "Allow access", status: 200, pending,
            """
            <h1>\(Self.escaped(client.name))</h1><p>\(site) asks to use your account
            <b>\(Self.escaped(user.email ?? user.phone ?? user.id))</b>:</p><ul>\(items)</ul>
            <p class="small">You will be sent to \(Self.escaped(RedirectURI.policySource(pending.redirectURI)))</p>
            <form method="post" action="\(Self.escaped(action))">\(Self.hidden(pending))
            <button name="action" value="approve">Allow</button>
            <button name="action" value="deny" class="quiet">Deny</button>
            <button name="action" value="switch" class="quiet">Use another account</button></form>
            """)
    }

    static func problem(_ text: String, status: Int) -> AuthAnswer {
        page("That did not work", status: status, nil, "<h1>That did not work</h1><p>\(escaped(text))</p>")
    }

    // MARK: - Non public

    private static let words = [
        "openid": "Know who you are", "profile": "See your name and picture",
        "email": "See your e-mail address",
        "phone": "See your phone number", "address": "See your address",
        "offline_access": "Stay connected when you are away",
    ]

    private static func hidden(_ pending: PendingAuthorization) -> String {
        #"<input type="hidden" name="authorization_id" value="\#(escaped(pending.id))">"#
    }

    private static func alert(_ message: String?) -> String {
        message.map { #"<p role="alert" class="alert">\#(escaped($0))</p>"# } ?? ""
    }

    private static func page(
        _ title: String, status: Int, _ pending: PendingAuthorization?, _ body: String
    ) -> AuthAnswer {
        // Browsers hold a form's policy against where it ends, which is the client's address.
        let target = pending.map { " " + RedirectURI.policySource($0.redirectURI) } ?? ""
        return AuthAnswer(
            status: status,
            fields: [
                HeaderField(
                    "Content-Security-Policy",
                    "default-src 'none'; style-src '\(styleDigest)'; form-action 'self'\(target); base-uri 'none'; "
                        + "frame-ancestors 'none'"),
                HeaderField("X-Frame-Options", "DENY"), HeaderField("Referrer-Policy", "no-referrer"),
                HeaderField("X-Content-Type-Options", "nosniff"),
                HeaderField("Cross-Origin-Opener-Policy", "same-origin"),
            ],
            body: .html(
                """
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1"><title>\(title)</title>
                <style>\(style)</style></head><body><main>\(body)</main></body></html>
                """))
    }

    private static let style = """
        :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:24rem;margin:10vh auto;padding:0 \
        1rem}label{display:block;margin:1rem 0}input{display:block;box-sizing:border-box;width:100%;padding:.5rem;\
        font:inherit}button{font:inherit;padding:.5rem 1rem;margin:.5rem .5rem 0 0;border:0;border-radius:.3rem;\
        background:#1b5fc9;color:#fff}.quiet{background:none;color:inherit;text-decoration:underline}.alert{color:#b00020}\
        .small{font-size:.85rem}
        """
    private static let styleDigest =
        "sha256-" + Base64Text.encode(Array(SHA256.hash(data: Array(style.utf8))))

    /// Text in HTML, also within quotes.
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

extension AuthService {
    /// The provider's own pages.
    var pages: OAuthPages {
        OAuthPages(action: WebAddress.path(of: settings.issuer) + "/oauth/authorize/continue")
    }
}

import ApusFaults
package import ApusHTTP
import ApusJSON
package import ApusMessages
import NIOHTTP1

/// `/dev/inbox`: messages of a development server, as a page or, with `Accept: application/json`, for programs;
/// `?to=` picks one recipient's.
///
/// It shows sign-in links, so it answers this machine only, and only under a name of this machine: another site's
/// script that has its own name lead here (DNS rebinding) is refused.
package struct InboxEndpoint: Sendable {
    private let inbox: DevelopmentInbox
    private let answersEverybody: Bool

    /// - Parameter answersEverybody: `dev-inbox=on`: also other machines.
    package init(inbox: DevelopmentInbox, answersEverybody: Bool) {
        self.inbox = inbox
        self.answersEverybody = answersEverybody
    }

    package func respond(_ exchange: HTTPExchange) {
        let request = exchange.request
        guard request.method == .GET || request.method == .HEAD else {
            return exchange.respond(
                Problem.response(
                    Fault(code: "APUS405", kind: .methodNotAllowed, message: "The inbox is only read.")))
        }
        guard answersEverybody || isLocal(request) else {
            return exchange.respond(
                Problem.response(
                    Fault(
                        code: "APUS403", kind: .forbidden, message: "The inbox answers this machine only.",
                        hint: "Open it at http://127.0.0.1, or set dev-inbox=on where nobody else comes.")))
        }
        let wantsJSON = request.headers.first(name: "accept")?.contains("application/json") == true
        let recipient = AuthRequest.form(request.query)?.first { $0.0 == "to" && !$0.1.isEmpty }?.1
        let inbox = inbox
        let task = Task {
            do {
                let letters = try await inbox.letters(to: recipient)
                exchange.respond(wantsJSON ? Self.json(letters) : Self.page(letters))
            } catch {
                exchange.respond(
                    Problem.response(
                        Fault(code: "APUS503", kind: .unavailable, message: "The inbox cannot be read now.")))
            }
        }
        exchange.onAbandon { task.cancel() }
    }

    // MARK: - Non public

    private func isLocal(_ request: HTTPRequest) -> Bool {
        guard
            request.peer.isEmpty || request.peer == "::1" || request.peer.hasPrefix("127.")
                || request.peer.hasPrefix("::ffff:127.")
        else { return false }
        var host = request.headers.first(name: "host") ?? "localhost"
        if !host.hasSuffix("]"), let colon = host.lastIndex(of: ":") { host = String(host[..<colon]) }
        return ["localhost", "[::1]"].contains(host)
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func page(_ letters: [Letter]) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            fields: common + [
                HeaderField("Content-Type", "text/html; charset=utf-8"),
                HeaderField("Content-Security-Policy", InboxPage.contentSecurityPolicy),
                HeaderField("X-Frame-Options", "DENY"),
            ], body: .bytes(Array(InboxPage.html(letters).utf8)))
    }

    private static func json(_ letters: [Letter]) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: common + [HeaderField("Content-Type", "application/json")],
            body: .bytes(JSONValue.array(letters.map(\.json)).bytes))
    }

    private static let common = [
        HeaderField("Cache-Control", "no-store"), HeaderField("X-Content-Type-Options", "nosniff"),
        HeaderField("Referrer-Policy", "no-referrer"),
    ]
}

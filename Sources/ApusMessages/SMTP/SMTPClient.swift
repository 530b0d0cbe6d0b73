import NIOCore

/// One dialogue with a mail server (RFC 5321), for one message after another.
struct SMTPClient: Sendable {
    private let connection: SMTPConnection
    private let extensions: SMTPExtensions
    private let settings: SMTPSettings

    /// Connects, encrypts and signs in.
    static func open(
        _ settings: SMTPSettings, group: any EventLoopGroup
    ) async throws(DeliveryFailure) -> SMTPClient {
        let connection = try await SMTPConnection.connect(settings, group: group)
        do throws(DeliveryFailure) {
            try expect(await connection.greeting(), 220, "its greeting")
            var extensions = try await hello(connection, settings)
            if settings.security == .starttls {
                guard extensions.startsTLS else {
                    throw .unreachable("the mail server does not offer STARTTLS")
                }
                try expect(await connection.command("STARTTLS"), 220, "STARTTLS")
                try await connection.startTLS()
                // What was said before is forgotten (RFC 3207 §4.2).
                extensions = try await hello(connection, settings)
            }
            let client = SMTPClient(connection: connection, extensions: extensions, settings: settings)
            try await client.authenticate()
            return client
        } catch {
            connection.close()
            throw error
        }
    }

    var isOpen: Bool { connection.isOpen }

    /// Says goodbye and closes.
    func quit() async {
        _ = try? await connection.command("QUIT")
        connection.close()
    }

    func close() { connection.close() }

    /// Whether the server still listens to us.
    func isAlive() async -> Bool {
        guard connection.isOpen, let reply = try? await connection.command("RSET") else { return false }
        return reply.isPositive
    }

    /// Hands a message over.
    ///
    /// - Throws: permanent, when the server will never take it; the connection is then still good.
    func send(_ mail: OutgoingMail) async throws(DeliveryFailure) {
        var options = ""
        if mail.from.needsUTF8 || mail.to.needsUTF8 {
            guard extensions.takesUTF8 else {
                throw .permanent("the mail server does not take addresses beyond ASCII")
            }
            options = " SMTPUTF8"
        }
        if let limit = extensions.sizeLimit, mail.content.count > limit {
            throw .permanent("the message is larger than the mail server takes")
        }
        try await accepted(connection.command("MAIL FROM:<\(mail.from.text)>\(options)"), "the sender")
        try await accepted(connection.command("RCPT TO:<\(mail.to.text)>"), "the recipient")
        let go = try await connection.command("DATA")
        guard go.code == 354 else { throw Self.failure(go, "DATA") }
        try await accepted(connection.content(mail.dotStuffed), "the message")
    }

    // MARK: - Non public

    private static func hello(
        _ connection: SMTPConnection, _ settings: SMTPSettings
    ) async throws(DeliveryFailure) -> SMTPExtensions {
        let reply = try await connection.command("EHLO \(settings.clientName)")
        try expect(reply, 250, "EHLO")
        return SMTPExtensions(reply)
    }

    /// PLAIN (RFC 4616), or LOGIN where that is all there is.
    private func authenticate() async throws(DeliveryFailure) {
        guard let user = settings.user else { return }
        let password = settings.password ?? ""
        let reply: SMTPReply
        if extensions.mechanisms.contains("PLAIN") {
            let response = Base64.encode([0] + Array(user.utf8) + [0] + Array(password.utf8))
            reply = try await connection.command("AUTH PLAIN \(response)")
        } else if extensions.mechanisms.contains("LOGIN") {
            try Self.expect(await connection.command("AUTH LOGIN"), 334, "AUTH LOGIN")
            try Self.expect(await connection.command(Base64.encode(Array(user.utf8))), 334, "the user")
            reply = try await connection.command(Base64.encode(Array(password.utf8)))
        } else {
            throw .unreachable("the mail server offers neither AUTH PLAIN nor AUTH LOGIN")
        }
        try Self.expect(reply, 235, "the user and password")
    }

    /// What goes wrong before any message is not about a message.
    private static func expect(_ reply: SMTPReply, _ code: Int, _ what: String) throws(DeliveryFailure) {
        guard reply.code == code else {
            throw .unreachable("the mail server answered \(what) with \(reply.summary)")
        }
    }

    private func accepted(_ reply: SMTPReply, _ what: String) throws(DeliveryFailure) {
        guard reply.isPositive else { throw Self.failure(reply, what) }
    }

    private static func failure(_ reply: SMTPReply, _ what: String) -> DeliveryFailure {
        let reason = "the mail server answered \(what) with \(reply.summary)"
        // 421: it takes nothing from anybody now (RFC 5321 §3.8).
        if reply.code == 421 { return .unreachable(reason) }
        return reply.isPassingFailure ? .passing(reason) : .permanent(reason)
    }
}

/// What a server said that it can do (RFC 5321 §4.1.1.1).
struct SMTPExtensions: Sendable, Equatable {
    var startsTLS = false
    /// RFC 6531
    var takesUTF8 = false
    /// RFC 1870; nil: not told, or without limit.
    var sizeLimit: Int?
    /// RFC 4954
    var mechanisms: Set<String> = []

    init(_ reply: SMTPReply) {
        for line in reply.lines.dropFirst() {
            let words = line.uppercased().split(separator: " ")
            switch words.first {
            case "STARTTLS": startsTLS = true
            case "SMTPUTF8": takesUTF8 = true
            case "SIZE": sizeLimit = words.dropFirst().first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            case "AUTH": mechanisms.formUnion(words.dropFirst().map(String.init))
            default: break
            }
        }
    }
}

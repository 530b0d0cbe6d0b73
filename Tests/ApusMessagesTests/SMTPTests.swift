import NIOPosix
import Testing

@testable import ApusMessages

@Suite("SMTP")
struct SMTPTests {
    private func mail(_ to: String = "ada@example.com") throws -> OutgoingMail {
        OutgoingMail(
            from: try #require(MailAddress("noreply@example.com")), to: try #require(MailAddress(to)),
            content: Array("Subject: x\r\n\r\n.hidden\r\n".utf8))
    }

    private func transport(
        _ server: ScriptedMailServer, _ security: SMTPSettings.Security = .none, user: String? = nil,
        timeout: Duration = .seconds(10)
    ) -> SMTPTransport {
        SMTPTransport(
            SMTPSettings(
                host: "127.0.0.1", port: server.port, security: security, user: user, password: "p",
                timeout: timeout),
            group: MultiThreadedEventLoopGroup.singleton)
    }

    private func failure(
        _ transport: SMTPTransport, _ to: String = "ada@example.com"
    ) async throws -> DeliveryFailure? {
        let mail = try mail(to)
        do throws(DeliveryFailure) {
            try await transport.send(mail)
            return nil
        } catch {
            return error
        }
    }

    @Test func repliesAreReadInWhateverPiecesTheyCome() throws {
        var parser = SMTPReplyParser()
        var replies: [SMTPReply] = []
        for byte in "250-one\r\n250-two\n250 three\r\n354\r\n".utf8 {
            if let reply = try parser.take(byte) { replies.append(reply) }
        }
        #expect(
            replies == [
                SMTPReply(code: 250, lines: ["one", "two", "three"]), SMTPReply(code: 354, lines: [""]),
            ])
        #expect(parser.isBetweenReplies)
    }

    @Test(
        "What is no reply is refused",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "25 x\r\n", "250-a\r\n251 b\r\n", "199 x\r\n", "250+x\r\n",
        ])
    func malformed(_ text: String) {
        #expect(throws: SMTPReplyParser.Malformed.self) {
            var parser = SMTPReplyParser()
            for byte in text.utf8 { _ = try parser.take(byte) }
        }
    }

    @Test func aReplysTextStaysOutOfTheLog() {
        #expect(SMTPReply(code: 550, lines: ["5.1.1 <ada@example.com> unknown"]).summary == "550 5.1.1")
        #expect(SMTPReply(code: 550, lines: ["ada@example.com unknown"]).summary == "550")
    }

    @Test func oneConnectionCarriesOneMailAfterAnother() async throws {
        let server = try await ScriptedMailServer.start(ScriptedMailServer.willing())
        let transport = transport(server)
        for _ in 0..<3 { #expect(try await failure(transport) == nil) }
        await transport.close()
        #expect(server.lines.filter { $0.hasPrefix("EHLO") }.count == 1)
        #expect(server.lines.filter { $0 == "..hidden" }.count == 3)
        await server.stop()
    }

    @Test(
        "A refusal is permanent or passing as its code says",
        arguments: [
            ("550 5.1.1 nobody\r\n", DeliveryFailure.Kind.permanent), ("451 later\r\n", .passing),
            ("421 closing\r\n", .unreachable),
        ])
    func refusals(_ reply: String, _ kind: DeliveryFailure.Kind) async throws {
        let server = try await ScriptedMailServer.start(
            ScriptedMailServer.willing { $0.hasPrefix("RCPT") ? reply : "" })
        #expect(try await failure(transport(server))?.kind == kind)
        await server.stop()
    }

    @Test func aServerWithoutSTARTTLSGetsNoMailAndNoPassword() async throws {
        let server = try await ScriptedMailServer.start(ScriptedMailServer.willing())
        let failed = try await failure(transport(server, .starttls, user: "u"))
        #expect(failed?.kind == .unreachable && failed?.reason.contains("STARTTLS") == true)
        #expect(!server.lines.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
        await server.stop()
    }

    /// CVE-2011-0411: what follows the answer to STARTTLS in the clear must not count as said inside of TLS.
    @Test func wordsSmuggledBehindSTARTTLSAreRefused() async throws {
        let server = try await ScriptedMailServer.start(
            ScriptedMailServer.willing { line in
                if line.hasPrefix("EHLO") { return "250-test\r\n250 STARTTLS\r\n" }
                return line == "STARTTLS" ? "220 go\r\n250-smuggled\r\n250 AUTH PLAIN\r\n" : ""
            })
        let failed = try await failure(transport(server, .starttls, user: "u"))
        #expect(failed?.kind == .unreachable)
        #expect(server.lines.count == 2)
        await server.stop()
    }

    @Test func aServerThatSaysNothingIsLeftInTime() async throws {
        let server = try await ScriptedMailServer.start(greeting: nil) { _ in nil }
        let begun = ContinuousClock.now
        let failed = try await failure(transport(server, timeout: .milliseconds(200)))
        #expect(failed?.kind == .unreachable && failed?.reason.contains("in time") == true)
        #expect(ContinuousClock.now - begun < .seconds(8))
        await server.stop()
    }

    @Test func nobodyThereIsUnreachable() async throws {
        let server = try await ScriptedMailServer.start(ScriptedMailServer.willing())
        await server.stop()
        #expect(try await failure(transport(server))?.kind == .unreachable)
    }

    @Test func anAddressBeyondASCIINeedsAServerThatTakesIt() async throws {
        let poor = try await ScriptedMailServer.start(ScriptedMailServer.willing())
        #expect(try await failure(transport(poor), "ünal@example.com")?.kind == .permanent)
        await poor.stop()
        let able = try await ScriptedMailServer.start(
            ScriptedMailServer.willing { $0.hasPrefix("EHLO") ? "250-test\r\n250 SMTPUTF8\r\n" : "" })
        #expect(try await failure(transport(able), "ünal@example.com") == nil)
        #expect(able.lines.contains("MAIL FROM:<noreply@example.com> SMTPUTF8"))
        await able.stop()
    }

    @Test func aWrongPasswordIsNotAboutAMessage() async throws {
        let server = try await ScriptedMailServer.start(
            ScriptedMailServer.willing { line in
                if line.hasPrefix("EHLO") { return "250-test\r\n250 AUTH LOGIN PLAIN\r\n" }
                return line.hasPrefix("AUTH") ? "535 5.7.8 no\r\n" : ""
            })
        #expect(try await failure(transport(server, user: "u"))?.kind == .unreachable)
        #expect(server.lines.contains("AUTH PLAIN AHUAcA=="))
        await server.stop()
    }
}

import ApusJSON
import Testing

@testable import ApusMessages

@Suite("Templates")
struct TemplateTests {
    private func message(
        _ kind: MessageKind, locales: [String] = [], email: String = "ada@example.com",
        data: JSONValue = .object([:])
    ) -> Message {
        Message(
            channel: .email, kind: kind, recipient: email, locales: locales,
            values: [
                "ConfirmationURL": "https://example.com/verify?token=abc&type=x", "Token": "123456",
                "SiteURL": "https://example.com", "Email": email, "NewEmail": "new@example.com",
            ], data: data)
    }

    @Test("Every kind in every language says what it must", arguments: Phrases.all.keys.sorted())
    func everything(_ locale: String) throws {
        let templates = try MessageTemplates()
        let english = try MessageTemplates()
        for kind in MessageKind.worded {
            let mail = templates.mail(message(kind, locales: [locale]))
            #expect(!mail.subject.isEmpty && !mail.subject.contains("{{"))
            #expect(!mail.text.contains("{{") && !mail.html.contains("{{"))
            #expect(mail.text.contains("123456"), "\(locale) \(kind)")
            if kind != .phoneCode, kind != .phoneChange {
                #expect(mail.text.contains("https://example.com/verify?token=abc&type=x"))
                #expect(mail.html.contains(#"href="https://example.com/verify?token=abc&amp;type=x""#))
            }
            if locale != "en" { #expect(mail.subject != english.mail(message(kind)).subject) }
        }
    }

    @Test func anAddressWithHTMLInItIsEscaped() throws {
        let mail = try MessageTemplates().mail(message(.confirmation, email: "<img/src=x>@example.com"))
        #expect(!mail.html.contains("<img") && mail.html.contains("&lt;img"))
        #expect(mail.text.contains("<img/src=x>@example.com"))
    }

    @Test func aMessageWithoutLinkOrCodeShowsNeither() throws {
        let notice = Message(
            channel: .email, kind: .passwordChanged, recipient: "ada@example.com",
            values: ["Email": "ada@example.com"])
        let mail = try MessageTemplates().mail(notice)
        #expect(!mail.html.contains("href") && !mail.text.contains(Phrases.english.code))
        #expect(mail.text.contains("ada@example.com"))
    }

    @Test(
        "The language is the person's, else the fallback",
        arguments: [
            (["de-AT"], "de"), (["DE_at"], "de"), (["xx", "fr"], "fr"), (["tlh"], "es"), ([], "es"),
            (["pt-BR"], "pt"),
        ])
    func language(_ wanted: [String], _ expected: String) throws {
        #expect(try MessageTemplates(locale: "es").best(wanted, for: .invite) == expected)
    }

    @Test func theOperatorsTemplateComesFirstPartByPart() throws {
        let templates = try MessageTemplates(files: [
            "en/invite.subject.mustache": "Welcome, {{Data.name}} & co",
            "en/invite.html.mustache": "<a href=\"{{ .ConfirmationURL }}\">{{ .Data.name }}</a>",
        ])
        let mail = templates.mail(message(.invite, data: .object(["name": .string("<b>Ada</b>")])))
        #expect(mail.subject == "Welcome, <b>Ada</b> & co")
        #expect(mail.html.contains("&lt;b&gt;Ada&lt;/b&gt;") && mail.html.contains("token=abc&amp;type=x"))
        #expect(mail.text.contains(Phrases.english.invite.button) == false && mail.text.contains("123456"))
    }

    @Test func whatAUserSaysIsNoTemplate() throws {
        let templates = try MessageTemplates(files: ["en/invite.text.mustache": "{{Data.name}}"])
        let mail = templates.mail(
            message(.invite, data: .object(["name": .string("{{Token}}{{{ConfirmationURL}}}")])))
        #expect(mail.text == "{{Token}}{{{ConfirmationURL}}}")
    }

    @Test(
        "A template that is none stops the start",
        arguments: ["en/invite.html.mustache", "en/nothing.html.mustache", "x"])
    func invalid(_ name: String) {
        #expect(throws: MessageTemplates.Invalid.self) {
            try MessageTemplates(files: [name: "{{#open}} never closed"])
        }
    }

    @Test func theInboxEscapesEverythingAndLinksOnlyToTheWeb() {
        let evil = "<script>alert(1)</script>"
        let letter = Letter(
            id: "1", channel: "email", recipient: evil, subject: evil, body: evil,
            link: "javascript:alert(1)", code: evil,
            receivedAt: evil)
        let page = InboxPage.html([letter])
        #expect(!page.contains("<script") && page.contains("&lt;script&gt;"))
        #expect(!page.contains("javascript:"))
        #expect(InboxPage.html([]).contains("Nothing yet"))
    }
}

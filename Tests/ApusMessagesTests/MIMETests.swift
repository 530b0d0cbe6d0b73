import Testing

@testable import ApusMessages

@Suite("What mail is made of")
struct MIMETests {
    @Test(
        "One address is taken",
        arguments: [
            "ada@example.com", "ada.lovelace+apus@mail.example.co.uk", "o'neill@example.com", "ada@localhost",
            "ünal@example.com", "ada@bücher.example",
        ])
    func address(_ text: String) { #expect(MailAddress(text)?.text == text) }

    @Test(
        "What is not exactly one address is refused",
        arguments: [
            "", "ada", "@example.com", "ada@", "ada@@example.com", "a@evil.example,b@victim.example",
            "a@evil.example b@victim.example", "\"a@evil.example,b\"@victim.example",
            "ada@example.com\r\nRCPT TO:<b@x.y>",
            "ada\n@example.com", "<ada@example.com>", "ada@exa mple.com", ".ada@example.com",
            "ada..l@example.com",
            "ada@-example.com", "ada@example..com", "ada\u{0}@example.com", "ada\u{200B}@example.com",
            "ada@example.com\u{2028}", "Ada <ada@example.com>", "ada@[127.0.0.1]",
            String(repeating: "a", count: 65) + "@example.com",
        ])
    func noAddress(_ text: String) { #expect(MailAddress(text) == nil) }

    @Test func quotedPrintableKeepsEveryByteAndEveryLineShort() {
        let text = "Grüße = ✓ \nein sehr langer Satz, " + String(repeating: "wort ", count: 40) + "\nEnde "
        let encoded = QuotedPrintable.encode(text)
        #expect(encoded.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
        #expect(encoded.utf8.allSatisfy { $0 < 0x7F })
        #expect(decodeQuotedPrintable(encoded) == text.replacing("\n", with: "\r\n"))
    }

    @Test func aSubjectBeyondASCIIIsInEncodedWords() {
        #expect(EncodedWord.unstructured("Bestätigen") == "=?utf-8?B?QmVzdMOkdGlnZW4=?=")
        #expect(EncodedWord.unstructured("Confirm") == "Confirm")
        let long = EncodedWord.unstructured(String(repeating: "ä✓", count: 60))
        #expect(long.split(separator: "\r\n ").allSatisfy { $0.utf8.count <= 75 })
    }

    @Test func aSubjectCannotBeginAFieldOfItsOwn() {
        let subject = EncodedWord.unstructured("Hello\r\nBcc: victim@example.com")
        #expect(!subject.contains("\n") && !subject.contains("\r"))
        #expect(!EncodedWord.phrase("Apus\r\nBcc: x").contains("\n"))
        #expect(EncodedWord.phrase("A \"quoted\" name") == "\"A \\\"quoted\\\" name\"")
    }

    @Test(
        "Dates",
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
            (1_795_233_602, "Sat, 21 Nov 2026 04:00:02 +0000"),
        ])
    func date(_ seconds: Int, _ text: String) { #expect(MailDate.text(seconds: seconds) == text) }

    @Test func aDotAtTheStartOfALineIsDoubledAndTheEndIsALineOfItsOwn() throws {
        let address = try #require(MailAddress("ada@example.com"))
        let mail = OutgoingMail(from: address, to: address, content: Array("a\r\n.b\r\n..\r\nc".utf8))
        #expect(String(decoding: mail.dotStuffed, as: UTF8.self) == "a\r\n..b\r\n...\r\nc\r\n.\r\n")
    }

    @Test func aMailHasBothPartsAndItsIdentifier() throws {
        let address = try #require(MailAddress("ada@example.com"))
        let content = MailContent(subject: "S", text: "plain ä", html: "<p>rich</p>")
        let mail = String(
            decoding: content.written(
                from: address, senderName: "Apus", to: address, messageID: "id@example.com", seconds: 0),
            as: UTF8.self)
        #expect(mail.contains("Message-ID: <id@example.com>\r\n"))
        #expect(mail.contains("From: \"Apus\" <ada@example.com>\r\n"))
        #expect(mail.contains("plain =C3=A4") && mail.contains("<p>rich</p>"))
        #expect(mail.replacing("\r\n", with: "").utf8.allSatisfy { $0 != 13 && $0 != 10 })
    }

    @Test func base64IsTheStandardsOwn() {
        // RFC 4648 §10
        let known = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
        for (plain, encoded) in known {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64.decode("a*b=") == nil)
    }

    private func decodeQuotedPrintable(_ text: String) -> String {
        var bytes: [UInt8] = []
        var input = Array(text.replacing("=\r\n", with: "").utf8)[...]
        while let byte = input.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: input.prefix(2), as: UTF8.self)
            input = input.dropFirst(2)
            bytes.append(UInt8(digits, radix: 16) ?? 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

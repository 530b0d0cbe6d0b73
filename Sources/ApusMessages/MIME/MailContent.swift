/// Writes a mail: header fields, a text and an HTML part (RFC 5322, RFC 2046 §5.1.4).
package struct MailContent: Sendable {
    package var subject: String
    package var text: String
    package var html: String

    package init(subject: String, text: String, html: String) {
        self.subject = subject
        self.text = text
        self.html = html
    }

    /// - Parameters:
    ///   - senderName: shown beside `from`; may be empty.
    ///   - messageID: without angle brackets.
    ///   - seconds: since 1970, for `Date`.
    ///   - fields: further header fields; a line break in one ends it there.
    func written(
        from: MailAddress, senderName: String, to: MailAddress, messageID: String, seconds: Int,
        fields: [(name: String, value: String)] = []
    ) -> [UInt8] {
        // It cannot occur in the parts: quoted-printable text has no line that begins with "--=".
        let boundary = "=_" + messageID.filter { $0.isLetter || $0.isNumber }.prefix(40)
        let sender = senderName.isEmpty ? "" : EncodedWord.phrase(senderName) + " "
        var lines = [
            "Date: \(MailDate.text(seconds: seconds))",
            "From: \(sender)<\(from.text)>",
            "To: <\(to.text)>",
            "Subject: \(EncodedWord.unstructured(subject))",
            "Message-ID: <\(messageID)>",
            // No out-of-office reply, please (RFC 3834 §5).
            "Auto-Submitted: auto-generated",
        ]
        lines += fields.map { "\($0.name): \(Self.oneLine($0.value))" }
        lines += [
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
            "",
        ]
        lines += part("text/plain", text, boundary) + part("text/html", html, boundary)
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    // MARK: - Non public

    private func part(_ type: String, _ text: String, _ boundary: String) -> [String] {
        [
            "--\(boundary)", "Content-Type: \(type); charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable", "", QuotedPrintable.encode(text),
        ]
    }

    private static func oneLine(_ value: String) -> String {
        String(value.unicodeScalars.prefix { $0.value >= 0x20 && $0.value < 0x7F }.map { Character($0) })
    }
}

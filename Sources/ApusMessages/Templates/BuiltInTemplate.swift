import Mustache

/// The layout that all built-in messages share, filled with a language's phrases.
enum BuiltInTemplate {
    /// The template of a part; phrases that name values (`{{Email}}`) are templates themselves.
    static func of(_ phrases: Phrases, _ part: MessageTemplates.Part, _ message: Message) -> MustacheTemplate
    {
        let words = phrases.of(message.kind)
        let hasLink = message.values["ConfirmationURL"]?.isEmpty == false
        let hasCode = message.values["Token"]?.isEmpty == false
        let text =
            switch part {
            case .subject: words.subject
            case .text: text(phrases, words, message.kind, hasLink, hasCode)
            case .html: html(phrases, words, hasLink, hasCode)
            }
        // Ours, and tested in every language; a defect shows as the bare values.
        if let template = try? MessageTemplates.parse(text, isText: part != .html, name: "built in") {
            return template
        }
        return MustacheTemplate.bare
    }

    private static func text(
        _ phrases: Phrases, _ words: Phrases.Words, _ kind: MessageKind, _ hasLink: Bool, _ hasCode: Bool
    ) -> String {
        if kind == .phoneCode || kind == .phoneChange { return words.body }
        var paragraphs = [words.body]
        if hasLink { paragraphs.append("{{ConfirmationURL}}") }
        if hasCode { paragraphs.append("\(hasLink ? phrases.orCode : phrases.code) {{Token}}") }
        if words.isIgnorable { paragraphs.append(phrases.ignore) }
        return paragraphs.joined(separator: "\n\n") + "\n"
    }

    private static func html(
        _ phrases: Phrases, _ words: Phrases.Words, _ hasLink: Bool, _ hasCode: Bool
    ) -> String {
        let paragraph = "margin:0 0 20px;font-size:16px;line-height:1.5"
        var body = "<p style=\"\(paragraph)\">\(words.body)</p>\n"
        if hasLink {
            let button =
                "display:inline-block;padding:12px 20px;border-radius:8px;background:#1d4ed8;color:#ffffff;"
                + "font-size:16px;text-decoration:none"
            body += """
                <p style="\(paragraph)"><a href="{{ConfirmationURL}}" style="\(button)">\(words.button)</a></p>

                """
        }
        if hasCode {
            body += """
                <p style="\(paragraph)">\(hasLink ? phrases.orCode : phrases.code)<br>
                <strong style="font-size:24px;letter-spacing:4px">{{Token}}</strong></p>

                """
        }
        let page = "margin:0;padding:32px 16px;background:#f3f4f6;color:#111827;font-family:sans-serif"
        let card = "max-width:480px;margin:0 auto;padding:32px;border-radius:12px;background:#ffffff"
        return """
            <!doctype html>
            <html lang="\(phrases.language)">
            <head><meta charset="utf-8"><title>\(words.subject)</title></head>
            <body style="\(page)">
            <div style="\(card)">
            <h1 style="margin:0 0 20px;font-size:22px">\(words.subject)</h1>
            \(body)<p style="margin:0;font-size:13px;color:#6b7280">\(words.isIgnorable ? phrases.ignore : "")</p>
            </div>
            </body>
            </html>

            """
    }
}

extension MustacheTemplate {
    /// Link and code, without words.
    fileprivate static var bare: MustacheTemplate {
        (try? MustacheTemplate(string: "{{ConfirmationURL}} {{Token}}")) ?? empty
    }

    /// A text without marks always parses.
    private static var empty: MustacheTemplate {
        do { return try MustacheTemplate(string: "") } catch {
            preconditionFailure("an empty template: \(error)")
        }
    }
}

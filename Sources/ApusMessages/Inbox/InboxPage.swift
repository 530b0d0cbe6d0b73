import Mustache

/// `/dev/inbox` as a page: everything that others wrote is escaped, nothing on it runs.
package enum InboxPage {
    /// What a browser may do with it: show it (Content Security Policy 3).
    package static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    package static func html(_ letters: [Letter]) -> String {
        let context: [String: Any] = [
            "letters": letters.map { letter in
                [
                    "recipient": letter.recipient, "subject": letter.subject, "body": letter.body,
                    "link": safe(letter.link), "code": letter.code, "at": letter.receivedAt,
                    "hasLink": !safe(letter.link).isEmpty, "hasCode": !letter.code.isEmpty,
                ] as [String: Any]
            }, "isEmpty": letters.isEmpty,
        ]
        guard let page = try? MustacheTemplate(string: template) else { return "" }
        return page.render(context)
    }

    /// Only what a browser fetches: a `javascript:` link would run.
    private static func safe(_ link: String) -> String {
        link.hasPrefix("https://") || link.hasPrefix("http://") ? link : ""
    }

    private static let template = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="refresh" content="5"><title>Inbox</title>
        <style>
        body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
            color: #111827; background: #f9fafb; }
        article { margin: 1rem 0; padding: 1rem 1.25rem; background: #fff; border: 1px solid #e5e7eb;
            border-radius: 8px; }
        h2 { margin: 0; font-size: 1.1rem; } p { margin: .25rem 0; } .quiet { color: #6b7280; font-size: .9rem; }
        .code { font: 1.5rem ui-monospace, monospace; letter-spacing: .2rem; }
        pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.5 ui-monospace, monospace; }
        </style>
        </head>
        <body>
        <h1>Inbox</h1>
        <p class="quiet">Messages of this development server, newest first. Nothing is sent until auth-smtp-host is set.</p>
        {{#isEmpty}}<p>Nothing yet.</p>{{/isEmpty}}
        {{#letters}}
        <article>
        <h2>{{subject}}</h2>
        <p class="quiet">{{at}} UTC · to {{recipient}}</p>
        {{#hasCode}}<p class="code">{{code}}</p>{{/hasCode}}
        {{#hasLink}}<p><a href="{{link}}" rel="noreferrer">Open the link</a></p>{{/hasLink}}
        <details><summary>Text</summary><pre>{{body}}</pre></details>
        </article>
        {{/letters}}
        </body>
        </html>

        """
}

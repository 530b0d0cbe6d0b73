import ApusJSON
import Mustache

/// Words messages: the operator's templates where there are some, else the built-in ones, in the best language that
/// both the person and the templates know.
package struct MessageTemplates: Sendable {
    /// What is wrong with a template of the operator's.
    package struct Invalid: Error, Sendable, Equatable {
        /// `LOCALE/KIND.PART.mustache`, as it was given.
        package var name: String
        package var reason: String
    }

    /// A part of a message.
    package enum Part: String, Sendable, CaseIterable {
        case subject
        case text
        case html
    }

    private struct Key: Hashable {
        var locale: String
        var kind: MessageKind
        var part: Part
    }

    private let overrides: [Key: MustacheTemplate]
    private let locales: Set<String>
    private let fallback: String

    /// - Parameters:
    ///   - files: the operator's, by name: `de/confirmation.html.mustache`; parts that are not there stay built in.
    ///   - locale: for whom no better is known.
    /// - Throws: for a name that means nothing and for a template that does not parse.
    package init(files: [String: String] = [:], locale: String = "en") throws(Invalid) {
        var overrides: [Key: MustacheTemplate] = [:]
        for (name, text) in files {
            let key = try Self.key(name)
            overrides[key] = try Self.parse(text, isText: key.part != .html, name: name)
        }
        self.overrides = overrides
        locales = Set(overrides.keys.map(\.locale)).union(Phrases.all.keys)
        fallback = Self.normalised(locale)
    }

    // MARK: - Wording

    /// The mail that says `message`.
    package func mail(_ message: Message) -> MailContent {
        let locale = best(message.locales, for: message.kind)
        return MailContent(
            subject: word(message, .subject, locale), text: word(message, .text, locale),
            html: word(message, .html, locale))
    }

    /// The text message that says it.
    package func text(_ message: Message) -> String {
        word(message, .text, best(message.locales, for: message.kind))
    }

    /// The locale that a message is worded in: the person's first that there is anything for (`de-AT` is content with
    /// `de`), then the fallback, then English.
    func best(_ wanted: [String], for kind: MessageKind) -> String {
        for locale in wanted.prefix(8).map(Self.normalised) + [fallback] {
            if locales.contains(locale) { return locale }
            let language = String(locale.prefix { $0 != "-" })
            if locales.contains(language) { return language }
        }
        return "en"
    }

    // MARK: - Non public

    private func word(_ message: Message, _ part: Part, _ locale: String) -> String {
        let language = String(locale.prefix { $0 != "-" })
        for candidate in locale == language ? [locale] : [locale, language] {
            if let template = overrides[Key(locale: candidate, kind: message.kind, part: part)] {
                return template.render(context(message))
            }
        }
        let phrases = Phrases.all[locale] ?? Phrases.all[language] ?? Phrases.english
        return BuiltInTemplate.of(phrases, part, message).render(context(message))
    }

    /// What templates may name; all strings, so nothing in them is taken for a template.
    private func context(_ message: Message) -> [String: Any] {
        var context: [String: Any] = message.values
        context["Data"] = Self.plain(message.data)
        return context
    }

    private static func plain(_ value: JSONValue) -> Any {
        switch value {
        case .null: ""
        case .bool(let flag): flag
        case .number(let text), .string(let text): text
        case .array(let items): items.map { plain($0) }
        case .object(let object):
            Dictionary(
                object.members.map { ($0.name, plain($0.value)) }, uniquingKeysWith: { first, _ in first })
        }
    }

    private static func key(_ name: String) throws(Invalid) -> Key {
        let path = name.split(separator: "/")
        let parts = path.last?.split(separator: ".") ?? []
        guard path.count == 2, parts.count == 3, parts[2] == "mustache",
            let kind = MessageKind.worded.first(where: { $0.rawValue == parts[0] }),
            let part = Part(rawValue: String(parts[1]))
        else {
            let kinds = MessageKind.worded.map(\.rawValue).joined(separator: ", ")
            throw Invalid(
                name: name,
                reason: "it is not LOCALE/KIND.subject|text|html.mustache with KIND one of \(kinds)")
        }
        return Key(locale: normalised(String(path[0])), kind: kind, part: part)
    }

    static func parse(_ text: String, isText: Bool, name: String) throws(Invalid) -> MustacheTemplate {
        do {
            return try MustacheTemplate(string: (isText ? "{{% CONTENT_TYPE:TEXT}}" : "") + text)
        } catch {
            throw Invalid(name: name, reason: "\(error)")
        }
    }

    /// `de_at` and `DE-at` are `de-at`.
    private static func normalised(_ locale: String) -> String {
        locale.lowercased().replacing("_", with: "-")
    }
}

/// Why a parser could not go on: what was there, and what could have been.
///
/// The dialect shows these to clients in the words of the Parsec library, so they are gathered and merged by its
/// rules (Leijen and Meijer, "Parsec: Direct Style Monadic Parser Combinators", 2001, §6).
struct ParseFailure {
    /// Kept as it is found, and put into words only when it is told: nearly all messages are never told.
    enum Message {
        /// The character that no parser took; nil for the end of the input.
        case systemUnexpected(Unicode.Scalar?)
        /// A character that a parser refused by its own rule.
        case unexpected(Unicode.Scalar)
        /// What is described by a name.
        case expected(StaticString)
        case expectedText(StaticString)
        case expectedCharacter(Unicode.Scalar)
    }

    /// Offset in bytes.
    var position: Int
    var messages: [Message] = []

    /// Joins two failures: the one further on wins; at the same place both count.
    mutating func merge(_ other: ParseFailure) {
        if other.messages.isEmpty && !messages.isEmpty { return }
        if messages.isEmpty && !other.messages.isEmpty || other.position > position {
            self = other
        } else if other.position == position {
            messages += other.messages
        }
    }

    /// Names what was expected by `name`, instead of by its parts.
    mutating func replaceExpectations(with name: StaticString) {
        messages.removeAll {
            switch $0 {
            case .expected, .expectedText, .expectedCharacter: true
            case .systemUnexpected, .unexpected: false
            }
        }
        messages.insert(.expected(name), at: 0)
    }

    /// `unexpected "x" expecting this, that or the other`
    var details: String {
        var system: String?
        var unexpected: [String] = []
        var expected: [String] = []
        for message in messages {
            switch message {
            case .systemUnexpected(let scalar):
                system = system ?? (scalar.map(ShownCharacter.asString) ?? "end of input")
            case .unexpected(let scalar): unexpected.append(ShownCharacter.asCharacter(scalar))
            case .expected(let name): expected.append("\(name)")
            case .expectedText(let text): expected.append("\"\(text)\"")
            case .expectedCharacter(let scalar): expected.append(ShownCharacter.asString(scalar))
            }
        }
        var sentences: [String] = []
        if !unexpected.isEmpty {
            sentences.append("unexpected " + Self.alternatives(unexpected))
        } else if let system {
            sentences.append("unexpected " + system)
        }
        if !expected.isEmpty { sentences.append("expecting " + Self.alternatives(expected)) }
        return sentences.isEmpty ? "unknown parse error" : sentences.joined(separator: " ")
    }

    /// Each name once.
    private static func alternatives(_ all: [String]) -> String {
        var names: [String] = []
        for name in all where !names.contains(name) { names.append(name) }
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}

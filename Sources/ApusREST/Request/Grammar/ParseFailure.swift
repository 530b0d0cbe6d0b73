/// Why a parser could not go on: what was there, and what could have been.
///
/// The dialect shows these to clients in the words of the Parsec library, so they are gathered and merged by its
/// rules (Leijen and Meijer, "Parsec: Direct Style Monadic Parser Combinators", 2001, §6).
struct ParseFailure: Equatable {
    enum Message: Equatable {
        /// The input that no parser took, as the parser shows it; empty for the end of the input.
        case systemUnexpected(String)
        /// Input that a parser refused by its own rule.
        case unexpected(String)
        case expected(String)
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
    mutating func replaceExpectations(with name: String) {
        messages.removeAll { if case .expected = $0 { true } else { false } }
        messages.insert(.expected(name), at: 0)
    }

    /// `unexpected "x" expecting this, that or the other`
    var details: String {
        var system: String?
        var unexpected: [String] = []
        var expected: [String] = []
        for message in messages {
            switch message {
            case .systemUnexpected(let text): system = system ?? text
            case .unexpected(let text): if !unexpected.contains(text) { unexpected.append(text) }
            case .expected(let text): if !text.isEmpty, !expected.contains(text) { expected.append(text) }
            }
        }
        var sentences: [String] = []
        if !unexpected.isEmpty {
            sentences.append("unexpected " + Self.alternatives(unexpected))
        } else if let system {
            sentences.append("unexpected " + (system.isEmpty ? "end of input" : system))
        }
        if !expected.isEmpty { sentences.append("expecting " + Self.alternatives(expected)) }
        return sentences.isEmpty ? "unknown parse error" : sentences.joined(separator: " ")
    }

    private static func alternatives(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}

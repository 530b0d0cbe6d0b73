/// One statement of a script.
package struct ScriptStatement: Sendable, Equatable {
    /// From its first word to its last character, without the semicolon.
    package let text: String
    /// Where its first word stands.
    package let start: ScriptPosition
    /// The first words at its top level in lower case, enough to tell what kind of statement it is.
    package let words: [String]

    package init(text: String, start: ScriptPosition, words: [String]) {
        self.text = text
        self.start = start
        self.words = words
    }

    /// Where in the file the character number `offset`, from 1, of the statement stands. That is how
    /// PostgreSQL says where an error is ("Error and Notice Message Fields", P).
    package func position(ofCharacter offset: Int) -> ScriptPosition {
        var position = start
        position.advance(over: text.unicodeScalars.prefix(max(0, offset - 1)))
        return position
    }

    /// What the statement does to the transaction around it.
    package enum TransactionControl: Sendable, Equatable {
        case begins
        case ends
    }

    /// nil for savepoints and for everything that is not about transactions.
    package var transactionControl: TransactionControl? {
        switch words.first {
        case "begin": .begins
        case "start" where words.dropFirst().first == "transaction": .begins
        case "commit", "end", "abort": words.dropFirst().first == "prepared" ? nil : .ends
        case "prepare" where words.dropFirst().first == "transaction": .ends
        case "rollback": endsByRollback ? .ends : nil
        default: nil
        }
    }

    /// `COPY … FROM STDIN`, whose data would have to follow in the script.
    package var copiesFromScript: Bool {
        words.first == "copy" && zip(words, words.dropFirst()).contains { $0 == "from" && $1 == "stdin" }
    }

    /// A command of psql's, which the server does not know.
    package var isClientCommand: Bool { text.hasPrefix("\\") }

    // MARK: - Non public

    /// `ROLLBACK TO SAVEPOINT` stays inside its transaction, `ROLLBACK PREPARED` is about another one.
    private var endsByRollback: Bool {
        let rest = words.dropFirst().drop { $0 == "work" || $0 == "transaction" }
        return rest.first != "to" && rest.first != "prepared"
    }
}

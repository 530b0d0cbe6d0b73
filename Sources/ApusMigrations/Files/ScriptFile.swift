import Crypto
import Foundation

/// A file of SQL as it was read: its text, what it is known by later, and its statements.
package struct ScriptFile: Sendable, Equatable {
    /// The name without its directory.
    package let name: String
    /// SHA-256 in hexadecimal digits. Line ends count as LF, so that a checkout on another system is no change.
    package let checksum: String
    /// Whether the statements run in one transaction, which they do unless the first line says
    /// `-- apus: no-transaction`.
    package let isTransactional: Bool
    package let statements: [ScriptStatement]

    /// - Throws: what makes the file impossible to run, ``MigrationFault/content(file:reason:)`` or
    ///   ``MigrationFault/refused(_:)``.
    package init(name: String, bytes: some Sequence<UInt8>) throws(MigrationFault) {
        var bytes = Array(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw .content(file: name, reason: "it is not text in UTF-8")
        }
        self.name = name
        checksum = Self.checksum(of: bytes)
        isTransactional = try Self.isTransactional(text, file: name)
        statements = ScriptStatement.statements(of: text)
        try refuseWhatCannotRun()
    }

    /// Reads a file.
    package init(path: String) throws(MigrationFault) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .directory(path: path, reason: "it cannot be read")
        }
        try self.init(name: URL(fileURLWithPath: path).lastPathComponent, bytes: data)
    }

    // MARK: - Non public

    private static func checksum(of bytes: [UInt8]) -> String {
        let carriageReturn = UInt8(ascii: "\r")
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            let endsLine = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
            if byte != carriageReturn || !endsLine { plain.append(byte) }
        }
        let digits = Array("0123456789abcdef".utf8)
        let hexadecimal = SHA256.hash(data: plain).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: hexadecimal, as: UTF8.self)
    }

    /// A misspelt directive would run the file in a way that its author did not mean, so it is a fault.
    private static func isTransactional(_ text: String, file: String) throws(MigrationFault) -> Bool {
        let line = text.prefix { !$0.isNewline }.trimmingPrefix { $0.isWhitespace }
        guard line.hasPrefix("--") else { return true }
        let comment = line.dropFirst(2).trimmingPrefix { $0.isWhitespace }
        guard comment.hasPrefix("apus:") else { return true }
        let directive = comment.dropFirst(5).split(whereSeparator: \.isWhitespace)
        guard directive == ["no-transaction"] else {
            throw .content(
                file: file,
                reason: "its first line says \"\(line)\", but only \"-- apus: no-transaction\" is known")
        }
        return false
    }

    private func refuseWhatCannotRun() throws(MigrationFault) {
        var begun: ScriptStatement?
        for statement in statements {
            if statement.isClientCommand {
                throw refusal(of: statement, "commands that start with a backslash are psql's, not SQL")
            }
            if statement.copiesFromScript {
                throw refusal(of: statement, "data cannot follow COPY in the file; write it as INSERT")
            }
            guard let control = statement.transactionControl else { continue }
            if isTransactional {
                throw refusal(
                    of: statement,
                    """
                    the file already runs in a transaction; take the statement out, or begin the file with \
                    \"-- apus: no-transaction\"
                    """)
            }
            begun = control == .begins ? statement : nil
        }
        if let begun { throw refusal(of: begun, "the transaction that it begins is not ended in the file") }
    }

    private func refusal(of statement: ScriptStatement, _ reason: String) -> MigrationFault {
        .refused(.init(file: name, position: statement.start, reason: reason, statement: statement.text))
    }
}

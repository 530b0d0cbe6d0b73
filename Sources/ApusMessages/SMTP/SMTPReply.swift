/// What an SMTP server answers (RFC 5321 §4.2): a code, and lines of text.
struct SMTPReply: Sendable, Equatable {
    var code: Int
    var lines: [String]

    /// 2yz
    var isPositive: Bool { code / 100 == 2 }
    /// 4yz: the same may work later (RFC 5321 §4.2.1).
    var isPassingFailure: Bool { code / 100 == 4 }

    /// For logs: the code and, where there is one, the enhanced status (RFC 3463). The text is left out, because
    /// servers put the recipient into it.
    var summary: String {
        let first = lines.first?.split(separator: " ").first.map(String.init) ?? ""
        let parts = first.split(separator: ".", omittingEmptySubsequences: false)
        let isStatus = parts.count == 3 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
        return isStatus ? "\(code) \(first)" : "\(code)"
    }
}

/// Reads replies from the bytes of a connection, in whatever pieces they come.
struct SMTPReplyParser {
    /// A server's mistake, or somebody who is no mail server.
    struct Malformed: Error {}

    /// RFC 5321 §4.5.3.1.5 allows 512; some servers write more.
    private static let longestLine = 4_096
    private static let mostLines = 128

    private var line: [UInt8] = []
    private var reply: SMTPReply?

    /// Whether nothing of a next reply has come yet.
    var isBetweenReplies: Bool { line.isEmpty && reply == nil }

    /// Takes a byte; gives the reply that it completes.
    mutating func take(_ byte: UInt8) throws(Malformed) -> SMTPReply? {
        guard byte == UInt8(ascii: "\n") else {
            line.append(byte)
            guard line.count <= Self.longestLine else { throw Malformed() }
            return nil
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line = [] }
        return try finishLine()
    }

    private mutating func finishLine() throws(Malformed) -> SMTPReply? {
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let code = Int(String(decoding: digits, as: UTF8.self)), (200..<600).contains(code)
        else { throw Malformed() }
        let mark = line.count > 3 ? line[3] : UInt8(ascii: " ")
        guard mark == UInt8(ascii: " ") || mark == UInt8(ascii: "-") else { throw Malformed() }
        var reply = self.reply ?? SMTPReply(code: code, lines: [])
        guard reply.code == code, reply.lines.count < Self.mostLines else { throw Malformed() }
        reply.lines.append(String(decoding: line.dropFirst(4), as: UTF8.self))
        if mark == UInt8(ascii: "-") {
            self.reply = reply
            return nil
        }
        self.reply = nil
        return reply
    }
}

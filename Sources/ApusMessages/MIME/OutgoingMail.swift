/// A mail as a server takes it: the envelope's two addresses and the content.
package struct OutgoingMail: Sendable, Equatable {
    package var from: MailAddress
    package var to: MailAddress
    /// Header and body (RFC 5322), lines ended by CR LF.
    package var content: [UInt8]

    package init(from: MailAddress, to: MailAddress, content: [UInt8]) {
        self.from = from
        self.to = to
        self.content = content
    }

    /// The content as it follows DATA: a line that begins with a dot gets another one (RFC 5321 §4.5.2), and a line
    /// with one dot ends it.
    var dotStuffed: [UInt8] {
        let dot = UInt8(ascii: ".")
        var result: [UInt8] = []
        result.reserveCapacity(content.count + 64)
        var isLineStart = true
        for byte in content {
            if isLineStart, byte == dot { result.append(dot) }
            result.append(byte)
            isLineStart = byte == UInt8(ascii: "\n")
        }
        if !isLineStart { result += Array("\r\n".utf8) }
        return result + Array(".\r\n".utf8)
    }
}

import ApusAuth
package import ApusFaults
import Foundation

/// `apus passwords`: makes the file that `auth-password-leaked-file` names.
package enum LeakedPasswordFile {
    /// Reads lines that begin with a SHA-1 digest in hexadecimal (as the lists of Have I Been Pwned do: `DIGEST:COUNT`),
    /// or whole passwords, and writes the file.
    ///
    /// - Parameter areDigests: whether lines hold digests and not passwords.
    /// - Returns: the number of passwords in the file.
    /// - Throws: when a file cannot be read or written, or a line is no digest.
    package static func make(from source: String, to target: String, areDigests: Bool) throws -> Int {
        guard let text = try? String(contentsOfFile: source, encoding: .utf8) else {
            throw Fault(code: "APUS014", kind: .invalid, message: "The list '\(source)' cannot be read.")
        }
        var entries: [UInt64] = []
        for line in text.split(whereSeparator: \.isNewline) {
            guard areDigests else {
                entries.append(LeakedPasswords.entry(of: String(line)))
                continue
            }
            guard let digest = Hexadecimal.decode(line.prefix { $0 != ":" }.utf8), digest.count == 20 else {
                throw Fault(
                    code: "APUS014", kind: .invalid, message: "A line of '\(source)' is no SHA-1 digest.",
                    hint: "Lists of passwords themselves are read with --plain.")
            }
            entries.append(LeakedPasswords.entry(digest))
        }
        let bytes = LeakedPasswords.encode(entries)
        guard FileManager.default.createFile(atPath: target, contents: Data(bytes)) else {
            throw Fault(code: "APUS014", kind: .invalid, message: "The file '\(target)' cannot be written.")
        }
        return Set(entries).count
    }
}

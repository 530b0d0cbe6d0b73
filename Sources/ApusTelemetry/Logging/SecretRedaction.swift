import Logging

/// Makes unreadable what must not be in a log: by the key it is under, or by what it looks like.
enum SecretRedaction {
    static let mark = "[redacted]"

    /// Parts of keys, in lower case and without separators, that promise a secret.
    private static let secretKeyParts = [
        "authorization", "apikey", "password", "passwd", "secret", "token", "cookie", "credential",
        "privatekey",
    ]

    static func redact(_ metadata: Logger.Metadata) -> Logger.Metadata {
        var clean: Logger.Metadata = [:]
        clean.reserveCapacity(metadata.count)
        for (key, value) in metadata { clean[key] = isSecret(key) ? .string(mark) : redact(value) }
        return clean
    }

    /// `text` without signed tokens and without the passwords of connection strings.
    static func redact(_ text: String) -> String {
        guard mayHoldSecret(text) else { return text }
        return text.replacing(/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+/, with: mark)
            .replacing(/:\/\/([^\s:@\/]*):[^\s\/]+@/) { "://\($0.output.1):\(mark)@" }
            .replacing(/password=('[^']*'|\S+)/, with: "password=\(mark)")
    }

    // MARK: - Non public

    /// One pass over the bytes, as nearly every text holds nothing and regular expressions cost microseconds.
    private static func mayHoldSecret(_ text: String) -> Bool {
        var previous: (UInt8, UInt8) = (0, 0)
        for byte in text.utf8 {
            switch (previous.0, previous.1, byte) {
            case (UInt8(ascii: "e"), UInt8(ascii: "y"), UInt8(ascii: "J")),
                (UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "/")),
                (UInt8(ascii: "r"), UInt8(ascii: "d"), UInt8(ascii: "=")):
                return true
            default: previous = (previous.1, byte)
            }
        }
        return false
    }

    private static func isSecret(_ key: String) -> Bool {
        let plain = String(
            decoding: key.lowercased().utf8.filter { $0 != 0x5F && $0 != 0x2D && $0 != 0x2E }, as: UTF8.self)
        return secretKeyParts.contains { plain.contains($0) }
    }

    private static func redact(_ value: Logger.Metadata.Value) -> Logger.Metadata.Value {
        switch value {
        case .string(let text): .string(redact(text))
        case .stringConvertible(let convertible):
            // Numbers and the like keep their type; only what changes becomes text.
            if convertible is any Numeric || convertible is Bool {
                value
            } else {
                .string(redact(convertible.description))
            }
        case .dictionary(let members): .dictionary(redact(members))
        case .array(let elements): .array(elements.map(redact))
        }
    }
}

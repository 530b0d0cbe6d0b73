import Crypto

/// Time-based one-time passwords (RFC 6238) as every authenticator app makes them: SHA-1, six digits, a new code
/// every 30 seconds. Apps ignore other parameters too often to offer any.
package struct TOTP: Sendable {
    /// Seconds of a step.
    package static let period: Int64 = 30
    package static let digits = 6
    /// Bytes of a new secret: as many as SHA-1 has (RFC 4226 §4, R6).
    package static let secretBytes = 20
    /// Steps before and after the present one that a clock may be off (RFC 6238 §5.2).
    package static let skew: Int64 = 1

    package let secret: [UInt8]

    package init(secret: [UInt8]) { self.secret = secret }

    /// A new secret from the system's generator.
    package static func random() -> TOTP {
        TOTP(secret: SymmetricKey(size: .init(bitCount: secretBytes * 8)).withUnsafeBytes { Array($0) })
    }

    /// The secret as a person may type it.
    package var secretText: String { Base32.encode(secret) }

    /// The code of a step: the time in seconds since 1970, divided by ``period``.
    package func code(atStep step: Int64) -> String {
        var counter = UInt64(bitPattern: step).bigEndian
        let mac = withUnsafeBytes(of: &counter) {
            Array(HMAC<Insecure.SHA1>.authenticationCode(for: $0, using: SymmetricKey(data: secret)))
        }
        // RFC 4226 §5.3, dynamic truncation.
        let offset = Int(mac[mac.count - 1] & 0x0F)
        var number: UInt32 = 0
        for byte in mac[offset..<offset + 4] { number = number << 8 | UInt32(byte) }
        let digits = String((number & 0x7FFF_FFFF) % 1_000_000)
        return String(repeating: "0", count: Self.digits - digits.count) + digits
    }

    /// The step whose code this is, at most ``skew`` away from now; nil when it is none.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - last: the step that was accepted last; only later ones are looked at, so that no code holds twice
    ///     (RFC 6238 §5.2).
    package func step(of code: String, at now: Int64, after last: Int64?) -> Int64? {
        let present = now / Self.period
        var found: Int64?
        // All are looked at, whichever fits, so that time tells nothing.
        for step in (present - Self.skew)...(present + Self.skew) {
            let fits = ConstantTime.equal(Array(self.code(atStep: step).utf8), Array(code.utf8))
            if fits, step > last ?? .min, found == nil { found = step }
        }
        return found
    }

    /// What the QR code holds (the Key Uri Format that Google Authenticator defined and all apps read).
    ///
    /// - Parameters:
    ///   - issuer: the service, shown above the code.
    ///   - account: the person, shown beside it.
    package func uri(issuer: String, account: String) -> String {
        // A colon divides issuer and account, so neither may hold one.
        let issuer = percentEncode(issuer.replacing(":", with: " "))
        let account = percentEncode(account.replacing(":", with: " "))
        return "otpauth://totp/\(issuer):\(account)?algorithm=SHA1&digits=\(Self.digits)&issuer=\(issuer)"
            + "&period=\(Self.period)&secret=\(secretText)"
    }

    /// RFC 3986 §2.3: all but unreserved characters.
    private func percentEncode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
            {
                result.unicodeScalars.append(scalar)
            } else {
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

/// Makes a `jwt-secret` for a server that was started without one.
package enum DevelopmentSecret {
    /// 32 bytes from the system's random source (RFC 7518, 3.2 asks for as many as HS256's hash has), as 43
    /// characters of base64url that serve as the secret's text.
    package static func generate() -> String {
        var random = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }
}

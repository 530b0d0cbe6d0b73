import ApusTokens
import NIOHTTP1

/// Finds the token that a request came with.
enum Credentials {
    /// The bearer token of `Authorization`; else the token in `apikey`, where the SDKs put the project's key.
    static func bearer(in headers: HTTPHeaders) -> Substring? {
        if let authorization = headers.first(name: "authorization"),
            let token = BearerToken.inAuthorization(authorization)
        {
            return token
        }
        guard let key = headers.first(name: "apikey"), isCompactToken(key) else { return nil }
        return key[...]
    }

    /// Three parts between dots (RFC 7515 §7.1). A key of another form names nobody and is left alone.
    static func isCompactToken(_ text: String) -> Bool {
        text.utf8.reduce(into: 0) { $0 += $1 == UInt8(ascii: ".") ? 1 : 0 } == 2
    }
}

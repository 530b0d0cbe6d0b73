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
        guard let key = headers.first(name: "apikey"), isCredential(key) else { return nil }
        return key[...]
    }

    /// Whether a key stands for somebody: a token, or an API key of ours. One of another form names nobody and is left alone.
    static func isCredential(_ text: String) -> Bool { isCompactToken(text) || APIKey.isKey(text) }

    /// Why a request must not come with this token: a secret key in a browser is in the hands of whoever opens its tools.
    /// Browsers say themselves that they are one (Fetch Metadata Request Headers, 2).
    static func refusal(of token: Substring?, _ headers: HTTPHeaders) -> TokenFault? {
        guard let token, APIKey.isSecret(token), headers.contains(name: "sec-fetch-site") else { return nil }
        return .secretInBrowser
    }

    /// Three parts between dots (RFC 7515 §7.1).
    private static func isCompactToken(_ text: String) -> Bool {
        text.utf8.reduce(into: 0) { $0 += $1 == UInt8(ascii: ".") ? 1 : 0 } == 2
    }
}

import Crypto
import Foundation

/// Tokens of the people in the library, and of those who would like to be.
enum Token {
    static let secret = "a-secret-of-the-library-for-its-tests"

    static let ada = make(#"{"role":"authenticated","sub":"\#(adaID)","exp":4102444800}"#)
    static let ben = make(#"{"role":"authenticated","sub":"\#(benID)","exp":4102444800}"#)
    static let service = make(#"{"role":"service_role"}"#)

    static let adaID = "00000000-0000-4000-8000-00000000000a"
    static let benID = "00000000-0000-4000-8000-00000000000b"

    /// A signed token with these claims; header and key can be a forger's.
    static func make(
        _ claims: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#, secret: String = secret
    ) -> String {
        let signed = encode(Data(header.utf8)) + "." + encode(Data(claims.utf8))
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(signed.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return signed + "." + encode(Data(code))
    }

    /// A token without signature, as `alg: none` has it.
    static func unsigned(_ claims: String) -> String {
        encode(Data(#"{"alg":"none"}"#.utf8)) + "." + encode(Data(claims.utf8)) + "."
    }

    private static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }
}

import ApusFaults
import Testing

@testable import ApusTokens

/// Answers as PostgREST's specification expects them.
@Suite struct FaultTests {
    @Test(arguments: [
        (TokenFault.secretMissing, "PGRST300", "Server lacks JWT secret", String?.none),
        (.empty, "PGRST301", "Empty JWT is sent in Authorization header", nil),
        (.unexpectedParts(2), "PGRST301", "Expected 3 parts in JWT; got 2", nil),
        (.malformed, "PGRST301", "JWT cryptographic operation failed", nil),
        (
            .unsecured, "PGRST301", "Wrong or unsupported encoding algorithm",
            "JWT is unsecured but expected 'alg' was not 'none'"
        ),
        (
            .signatureInvalid, "PGRST301", "No suitable key or wrong key type",
            "None of the keys was able to decode the JWT"
        ),
        (
            .noSuitableKey, "PGRST301", "No suitable key or wrong key type",
            "No suitable key was found to decode the JWT"
        ),
        (.tokenRequired, "PGRST302", "Anonymous access is disabled", nil),
        (.expired, "PGRST303", "JWT expired", nil),
        (.audienceNotText, "PGRST303", "The JWT 'aud' claim must be a string or an array of strings", nil),
    ])
    func texts(fault: TokenFault, code: String, message: String, details: String?) {
        #expect(fault.fault.code == code)
        #expect(fault.fault.message == message)
        #expect(fault.fault.details == details)
        #expect(fault.fault.hint == nil)
    }

    @Test func challenges() {
        let value = { (fault: TokenFault) in fault.fault.fields.first { $0.name == "WWW-Authenticate" }?.value
        }
        #expect(value(.expired) == #"Bearer error="invalid_token", error_description="JWT expired""#)
        #expect(value(.tokenRequired) == "Bearer")
        #expect(value(.secretMissing) == nil)
        #expect(TokenFault.secretMissing.fault.kind == .internal)
        #expect(TokenFault.expired.fault.kind == .unauthenticated)
    }

    @Test(
        arguments: [
            ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER  abc", "abc"), ("Bearer\tabc", "abc"),
            ("Bearer ", ""),
            ("Bearer", ""), ("Basic abc", nil), ("Bearerabc", nil), ("", nil), ("abc", nil),
        ] as [(String, String?)])
    func authorization(value: String, token: String?) {
        #expect(BearerToken.inAuthorization(value).map(String.init) == token)
    }
}

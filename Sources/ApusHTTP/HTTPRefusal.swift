import ApusFaults

/// Why a request is refused before anybody looked at what it asks for.
enum HTTPRefusal {
    case malformedRequest
    case targetTooLong
    case headerTooLarge
    case bodyTooLarge(Int)
    case tooSlow
    case upgradeOverHTTP2

    /// The answer, as problem details (RFC 9457): no dialect has been chosen yet.
    var response: HTTPResponse {
        let (status, code, title, hint) = parts
        let body =
            #"{"type":"about:blank","status":\#(status),"code":"\#(code)","title":"\#(title)","hint":"\#(hint)"}"#
        return HTTPResponse(
            status: status, fields: [.init("Content-Type", "application/problem+json")],
            body: .bytes(Array(body.utf8)))
    }

    private var parts: (Int, String, String, String) {
        switch self {
        case .malformedRequest:
            (400, "APUS400", "This is no HTTP request", "Check the request line and the header fields.")
        case .targetTooLong:
            (
                414, "APUS414", "The URL is too long",
                "Send large filters by POST to a function, or raise server-max-url."
            )
        case .headerTooLarge:
            (431, "APUS431", "The header fields are too large", "Send fewer or shorter fields.")
        case .bodyTooLarge(let limit):
            (
                413, "APUS413", "The body is larger than \(limit) bytes",
                "Send it in parts, or raise server-max-body."
            )
        case .tooSlow:
            (408, "APUS408", "The request did not arrive in time", "Send it again.")
        case .upgradeOverHTTP2:
            (426, "APUS426", "WebSocket is not spoken over HTTP/2", "Connect with HTTP/1.1.")
        }
    }
}

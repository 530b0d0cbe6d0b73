import ApusFaults
import ApusHTTP
import NIOHTTP1

/// Cross-origin requests (the Fetch standard, "HTTP extensions"): which browsers' pages may call.
package struct CORS: Sendable {
    /// `server-cors-allowed-origins`; empty: every origin, without credentials.
    private let origins: Set<String>

    package init(allowedOrigins: [String]) { origins = Set(allowedOrigins) }

    private static let exposed =
        "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, "
        + "Transfer-Encoding, Range-Unit, Preference-Applied, X-Request-Id, ETag, Apus-Lsn"

    /// Fields for the answer to a request with an `Origin`; none for an origin that may not call.
    ///
    /// - Parameter exposed: fields of the answer that a page may read.
    func fields(for request: HTTPRequest, exposing exposed: String = Self.exposed) -> [HeaderField] {
        guard let origin = request.headers.first(name: "origin") else { return [] }
        if origins.isEmpty {
            return [
                .init("Access-Control-Allow-Origin", "*"),
                .init("Access-Control-Expose-Headers", exposed),
            ]
        }
        guard origins.contains(origin) else { return [] }
        return [
            .init("Access-Control-Allow-Origin", origin),
            .init("Access-Control-Allow-Credentials", "true"),
            .init("Access-Control-Expose-Headers", exposed),
        ]
    }

    /// The answer to a preflight request; nil for any other request.
    func preflight(_ request: HTTPRequest) -> HTTPResponse? {
        guard request.method == .OPTIONS, request.headers.contains(name: "origin"),
            request.headers.contains(name: "access-control-request-method")
        else { return nil }
        var allowed = "Authorization"
        if let asked = request.headers.first(name: "access-control-request-headers") {
            allowed += ", " + asked.split(separator: ",").map { trimmed($0) }.joined(separator: ", ")
        }
        var fields = self.fields(for: request).filter { $0.name != "Access-Control-Expose-Headers" }
        guard !fields.isEmpty else { return HTTPResponse(status: 200, body: .bytes([])) }
        fields += [
            .init("Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"),
            .init("Access-Control-Allow-Headers", allowed),
            .init("Access-Control-Max-Age", "86400"),
        ]
        return HTTPResponse(status: 200, fields: fields, body: .bytes([]))
    }

    private func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return text
    }
}

import ApusAuth
import ApusFaults
import ApusHTTP
import ApusJSON

/// Words answers and errors of authentication as HTTP.
enum AuthResponse {
    /// The version of the API in which errors carry a text in `code`.
    static let version = "2024-01-01"

    /// For answers under an address with TLS: browsers never again try without (RFC 6797).
    static let strictTransport = HeaderField("Strict-Transport-Security", "max-age=31536000")

    static func make(_ answer: AuthAnswer) -> HTTPResponse {
        var fields = answer.fields
        if !answer.isPublic { fields.append(.init("Cache-Control", "no-store")) }
        switch answer.body {
        case .none:
            return HTTPResponse(
                status: answer.status, fields: fields, body: answer.status == 204 ? .none : .bytes([]))
        case .json(let value):
            fields.append(.init("Content-Type", "application/json"))
            return HTTPResponse(status: answer.status, fields: fields, body: .bytes(value.bytes))
        case .html(let text):
            fields.append(.init("Content-Type", "text/html; charset=utf-8"))
            return HTTPResponse(status: answer.status, fields: fields, body: .bytes(Array(text.utf8)))
        }
    }

    /// An error in the shape that the client's version of the API has. A client that named a version and got the old
    /// shape, with a number in `code`, would not understand it at all.
    ///
    /// - Parameter version: `X-Supabase-Api-Version` of the request; dates compare as text.
    static func make(_ fault: AuthFault, version: String?, requestID: String) -> HTTPResponse {
        var body = JSONObject()
        var fields: [HeaderField] = [
            .init("Content-Type", "application/json"), .init("Cache-Control", "no-store"),
            .init("x-sb-error-code", fault.code),
        ]
        if fault.isOAuth {
            body = ["error": .string(fault.code), "error_description": .string(fault.message)]
        } else if let version, version.utf8.count == 10, version >= Self.version {
            fields.append(.init("X-Supabase-Api-Version", Self.version))
            body = ["code": .string(fault.code), "message": .string(fault.message)]
        } else {
            body = [
                "code": .int(fault.status), "error_code": .string(fault.code), "msg": .string(fault.message),
            ]
            if fault.status >= 500 { body["error_id"] = .string(requestID) }
        }
        for member in fault.more.members { body[member.name] = member.value }
        if let seconds = fault.retryAfter { fields.append(.init("Retry-After", String(seconds))) }
        if fault.status == 401 { fields.append(.init("WWW-Authenticate", "Bearer")) }
        return HTTPResponse(status: fault.status, fields: fields, body: .bytes(JSONValue.object(body).bytes))
    }
}

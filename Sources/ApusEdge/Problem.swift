package import ApusFaults
package import ApusHTTP
import ApusJSON
import ApusREST

/// Problem details (RFC 9457), for answers outside a dialect that fixes its own error body.
package enum Problem {
    /// The fault as an answer, with its kind's status and its own fields.
    package static func response(_ fault: Fault) -> HTTPResponse {
        let status = FaultResponse.status(of: fault.kind)
        var body: [UInt8] = []
        func member(_ name: String, _ value: String?) {
            guard let value else { return }
            body.append(body.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            appendJSONString(name, to: &body)
            body.append(UInt8(ascii: ":"))
            appendJSONString(value, to: &body)
        }
        member("type", "about:blank")
        member("title", fault.message)
        member("code", fault.code)
        member("detail", fault.details)
        member("hint", fault.hint)
        body += Array(",\"status\":\(status)}".utf8)
        var fields = [HeaderField("Content-Type", "application/problem+json")]
        fields += fault.fields
        return HTTPResponse(status: status, fields: fields, body: .bytes(body))
    }
}

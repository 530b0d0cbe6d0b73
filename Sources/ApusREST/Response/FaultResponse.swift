import ApusDataAPI
package import ApusFaults
import ApusJSON

/// Turns a fault into the dialect's error response.
package enum FaultResponse {
    /// - Parameter isVerbose: `client-error-verbosity`: whether details and hint are shown.
    package static func make(_ fault: Fault, isVerbose: Bool = true) -> RESTResponse {
        // The database's code can raise a fault with fields and a code of its own words; what cannot stand in a
        // header is left out, or a header could be smuggled in.
        var fields = fault.fields
            .filter { ResponseSettings.isFieldName($0.name) && ResponseSettings.isFieldValue($0.value) }
            .map { HeaderField($0.name, $0.value) }
        if !fields.contains(where: { sameFieldName($0.name, "Content-Type") }) {
            fields.append(.init("Content-Type", "application/json; charset=utf-8"))
        }
        let status = status(of: fault.kind)
        if status == 401, !fields.contains(where: { sameFieldName($0.name, "WWW-Authenticate") }) {
            fields.append(.init("WWW-Authenticate", "Bearer"))
        }
        if status == 503, !fields.contains(where: { sameFieldName($0.name, "Retry-After") }) {
            fields.append(.init("Retry-After", "1"))
        }
        // RFC 9209. The name is the dialect's, by which existing tools find it.
        if ResponseSettings.isFieldName(fault.code) {
            fields.append(.init("Proxy-Status", "PostgREST; error=\(fault.code)"))
        }
        return RESTResponse(status: status, fields: fields, body: .bytes(body(fault, isVerbose: isVerbose)))
    }

    /// Status of a kind (RFC 9110 §15).
    package static func status(of kind: Fault.Kind) -> Int {
        switch kind {
        case .invalid: 400
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .timeout: 504
        case .conflict: 409
        case .preconditionFailed: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .rangeNotSatisfiable: 416
        case .rateLimited: 429
        case .internal: 500
        case .unsupported: 501
        case .unavailable: 503
        case .status(let status): status
        }
    }

    /// `code`, `details`, `hint`, `message`, null where there is nothing.
    package static func body(_ fault: Fault, isVerbose: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes += Array("{\"code\":".utf8)
        appendJSONString(fault.code, to: &bytes)
        if isVerbose {
            bytes += Array(",\"details\":".utf8)
            if let details = fault.details, fault.detailsAreJSON {
                bytes += Array(details.utf8)
            } else {
                appendOptional(fault.details, to: &bytes)
            }
            bytes += Array(",\"hint\":".utf8)
            appendOptional(fault.hint, to: &bytes)
        }
        bytes += Array(",\"message\":".utf8)
        appendJSONString(fault.message, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func appendOptional(_ text: String?, to bytes: inout [UInt8]) {
        if let text {
            appendJSONString(text, to: &bytes)
        } else {
            bytes += Array("null".utf8)
        }
    }
}

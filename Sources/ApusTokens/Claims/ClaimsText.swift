import ApusJSON

/// What `request.jwt.claims` shows: the payload as its issuer wrote it, with the resolved role under `role`.
enum ClaimsText {
    /// Byte for byte the payload when `role` is in it already; otherwise the one member is replaced or added.
    /// `claims` must have been read from `payload`.
    static func withRole(_ role: String, in payload: [UInt8], claims: JSONObject) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(payload.count + role.utf8.count + 16)
        if let member = claims.member("role") {
            if member.value.text?.utf8.elementsEqual(role.utf8) == true { return payload }
            text.append(contentsOf: payload[..<member.range.lowerBound])
            appendJSONString(role, to: &text)
            text.append(contentsOf: payload[member.range.upperBound...])
        } else {
            let inside = (payload.firstIndex(of: UInt8(ascii: "{")) ?? 0) + 1
            text.append(contentsOf: payload[..<inside])
            text.append(contentsOf: "\"role\":".utf8)
            appendJSONString(role, to: &text)
            if !claims.members.isEmpty { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: payload[inside...])
        }
        return text
    }
}

package import ApusREST

/// Requests as text, as they are kept in a corpus: `METHOD path?query`, header lines, an empty line, the body.
package enum RequestText {
    package static func request(_ bytes: [UInt8]) -> RESTRequest {
        var rest = bytes[...]
        func line() -> ArraySlice<UInt8>? {
            guard !rest.isEmpty else { return nil }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            defer { rest = rest[min(end + 1, rest.endIndex)...] }
            return rest[..<end]
        }
        let first = line() ?? []
        let space = first.firstIndex(of: UInt8(ascii: " ")) ?? first.endIndex
        let target = first[space...].dropFirst()
        let mark = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let path = String(decoding: target[..<mark], as: UTF8.self).split(separator: "/").map(String.init)
        var fields = RESTRequest.Fields()
        while let field = line(), !field.isEmpty {
            let colon = field.firstIndex(of: UInt8(ascii: ":")) ?? field.endIndex
            fields.add(
                name: String(decoding: field[..<colon], as: UTF8.self),
                value: String(decoding: field[colon...].dropFirst().drop { $0 == 0x20 }, as: UTF8.self))
        }
        return RESTRequest(
            method: String(decoding: first[..<space], as: UTF8.self), path: path,
            query: Array(target[mark...].dropFirst()), fields: fields, body: Array(rest))
    }
}

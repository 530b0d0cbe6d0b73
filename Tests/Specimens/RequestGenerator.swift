package import ApusREST

/// Makes up requests, most of which the dialect can read: from a seed, so that each can be made again.
///
/// Values and structure come from two sources of chance, so that a request can be made twice with the same structure
/// and other values.
package struct RequestGenerator {
    private var structure: SplitMix
    private var values: SplitMix

    package init(structure: UInt64, values: UInt64) {
        self.structure = SplitMix(state: structure)
        self.values = SplitMix(state: values)
    }

    package mutating func request() -> RESTRequest {
        let method = pick([
            "GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PATCH", "DELETE", "PUT", "OPTIONS",
        ])
        let isCall = structure.next(5) == 0
        let path = isCall ? ["rpc", pick(Self.functions)] : [pick(Self.relations)]
        var parameters: [String] = []
        if structure.next(2) == 0 { parameters.append("select=" + select(depth: 3)) }
        if structure.next(3) == 0 { parameters.append("order=" + order()) }
        for _ in 0..<structure.next(4) { parameters.append(filter()) }
        if structure.next(4) == 0 {
            parameters.append(
                pick(["or", "and", "not.or", "not.and", "or", "and", "or", "authors.or"]) + "="
                    + logic(depth: 3))
        }
        if structure.next(5) == 0 {
            parameters.append(
                pick(["limit", "offset", "limit", "authors.limit"]) + "="
                    + pick(["0", "5", "7", "1000", "2", "-1", "x", "99999999999999999999"]))
        }
        if structure.next(8) == 0 { parameters.append("columns=" + names()) }
        if structure.next(8) == 0 { parameters.append("on_conflict=" + names()) }
        if isCall { parameters.append(pick(["a", "b", "n", "wanted", "zz"]) + "=" + value()) }
        let query = parameters.map(encode).joined(separator: "&")
        return RESTRequest(
            method: method, path: path, query: Array(query.utf8), fields: fields(),
            body: method == "GET" || method == "DELETE" ? [] : Array(body().utf8))
    }

    // MARK: - Structure

    private static let relations = [
        "books", "authors", "labels", "shelf", "books_labels", "books", "books", "authors", "nothing",
        "it's \"odd\"; --",
    ]
    private static let functions = ["add", "total", "find", "echo", "plain", "nothing"]
    private static let columns = ["id", "title", "data", "tags", "words", "author_id", "tone", "name"]
    private static let operators = [
        "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "cs", "cd", "ov", "sl",
        "sr", "nxr",
        "nxl", "adj", "isdistinct", "fts", "plfts", "phfts", "wfts", "fts(english)", "eq(any)", "like(all)",
        "zz",
    ]
    /// What might break out of where it stands.
    private static let nasty = [
        "'", "\"", "''", "\\", "\\'", "'; select pwn(); --", "\"; select pwn(); --", ") or pwn()=(1", "/*",
        "*/", "--", "$1",
        "$$", "E'\\''", "\0", "\u{FEFF}", "😀", "é", " ", "\n", "%", "%00", "%27", "a.b", "a,b", "(a)", "{a}",
        "a:b", "::",
        "->", "->>", "*", "!", "null", "pwn()", "(select pwn())", "1) union select pwn() --", "\u{2028}",
        "ｓｅｌｅｃｔ", "…",
    ]

    private mutating func name() -> String {
        switch structure.next(24) {
        case 0...2: quoted(pick(Self.nasty) + pick(Self.columns) + pick(Self.nasty))
        case 3: pick(Self.nasty)
        default: pick(Self.columns)
        }
    }

    private mutating func names() -> String {
        (0...structure.next(3)).map { _ in name() }.joined(separator: ",")
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private mutating func field() -> String {
        var text = name()
        for _ in 0..<(structure.next(3) == 0 ? structure.next(3) : 0) {
            text += pick(["->", "->>"]) + (structure.next(2) == 0 ? String(structure.next(9)) : name())
        }
        return text
    }

    private mutating func select(depth: Int) -> String {
        (0...structure.next(4)).map { _ in selectItem(depth: depth) }.joined(separator: ",")
    }

    private mutating func selectItem(depth: Int) -> String {
        let alias = structure.next(4) == 0 ? name() + ":" : ""
        if depth > 0, structure.next(3) == 0 {
            let hint =
                structure.next(3) == 0 ? "!" + pick(["inner", "left", "written", "books_labels", "zz"]) : ""
            return pick(["", "", "..."]) + alias
                + pick(["authors", "labels", "books", "reader", "hints", "mentor"]) + hint
                + "(" + select(depth: depth - 1) + ")"
        }
        let cast =
            structure.next(5) == 0
            ? "::" + pick(["text", "int", "double precision", "int)", "pwn", "\"x\""]) : ""
        let aggregate =
            structure.next(8) == 0 ? "." + pick(["sum", "count", "avg", "max", "min"]) + "()" : ""
        return structure.next(6) == 0 ? "*" : alias + field() + cast + aggregate
    }

    private mutating func order() -> String {
        (0...structure.next(2)).map { _ in
            let field = field()
            return (structure.next(5) == 0 ? "authors(\(field))" : field)
                + pick(["", ".asc", ".desc", ".nullsfirst", ".desc.nullslast", ".zz"])
        }.joined(separator: ",")
    }

    private mutating func filter() -> String {
        (structure.next(12) == 0 ? pick(["authors.", "labels.", "authors.books."]) : "") + field() + "="
            + condition()
    }

    private mutating func condition() -> String {
        let not = pick(["", "", "", "not."])
        switch structure.next(6) {
        case 0:
            return not + "in.(" + (0...structure.next(4)).map { _ in element() }.joined(separator: ",") + ")"
        case 1: return not + "is." + pick(["null", "true", "false", "unknown", "not_null", "zz"])
        default: return not + pick(Self.operators) + "." + value()
        }
    }

    private mutating func logic(depth: Int) -> String {
        "("
            + (0...structure.next(3)).map { _ in
                if depth > 0, structure.next(4) == 0 {
                    return pick(["and", "or", "not.and"]) + logic(depth: depth - 1)
                }
                return field() + "." + pick(Self.operators) + "." + element()
            }.joined(separator: ",") + ")"
    }

    // MARK: - Fields and bodies

    private mutating func fields() -> RESTRequest.Fields {
        var fields = RESTRequest.Fields()
        if structure.next(3) == 0 {
            fields.prefer = [
                pick([
                    "return=representation", "return=minimal", "count=exact", "count=planned",
                    "missing=default",
                    "resolution=merge-duplicates", "resolution=ignore-duplicates", "handling=strict, zz",
                    "timezone=Europe/Lisbon", "timezone='; select pwn()", "max-affected=1,handling=strict",
                    "tx=rollback",
                ])
            ]
        }
        if structure.next(4) == 0 {
            fields.accept = [
                pick([
                    "*/*", "text/csv", "application/vnd.pgrst.object+json",
                    "application/vnd.pgrst.plan+json; options=analyze",
                    "text/x-titles", "application/geo+json", "'; --",
                    "application/vnd.pgrst.array;nulls=stripped", "text/plain",
                ])
            ]
        }
        if structure.next(6) == 0 {
            fields.range = pick(["0-1", "5-", "-1", "9-1", "99999999999999999999-", "zz"])
        }
        if structure.next(6) == 0 {
            fields.contentType = pick([
                "text/csv", "text/plain", "application/x-www-form-urlencoded", "'",
                "application/octet-stream",
            ])
        }
        if structure.next(12) == 0 { fields.acceptProfile = pick(["test", "zz", "'; --"]) }
        return fields
    }

    private mutating func body() -> String {
        switch structure.next(5) {
        case 0:
            return pick(["", "[]", "{}", "null", "{", "[[[[", "1", "id,title\n1,x", "\u{FEFF}{}", "[{},1]"])
        case 1: return "[" + object() + "," + object() + "]"
        default: return object()
        }
    }

    private mutating func object() -> String {
        "{"
            + (0..<structure.next(4)).map { _ in "\(string(name())):\(string(value()))" }.joined(
                separator: ",") + "}"
    }

    private func string(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\" + String(scalar)
            case let control where control.value < 0x20:
                json += "\\u00" + (control.value < 16 ? "0" : "") + String(control.value, radix: 16)
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }

    // MARK: - Values

    /// From the other source of chance: no part of the structure.
    private mutating func value() -> String {
        let parts = (0...values.next(3)).map { _ in
            values.next(2) == 0 ? Self.nasty[values.next(Self.nasty.count)] : String(values.next(1_000))
        }
        return parts.joined()
    }

    /// A value between commas.
    private mutating func element() -> String { quoted(value()) }

    private mutating func pick<T>(_ items: [T]) -> T { items[structure.next(items.count)] }

    /// Percent-encodes what has a meaning in a query string.
    private func encode(_ parameter: String) -> String {
        let equals = parameter.firstIndex(of: "=") ?? parameter.endIndex
        func encoded(_ text: Substring) -> String {
            var result = ""
            for byte in text.utf8 {
                if byte <= 0x20 || byte >= 0x7F || "%&=+#;".utf8.contains(byte) {
                    result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                } else {
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                }
            }
            return result
        }
        return encoded(parameter[..<equals]) + "=" + encoded(parameter[equals...].dropFirst())
    }
}

/// SplitMix64: small, and the same for the same seed everywhere.
package struct SplitMix: Sendable {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `bound`.
    package mutating func next(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next() % UInt64(max(1, bound)))
    }
}

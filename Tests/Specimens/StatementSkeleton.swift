/// What is left of a statement's text when everything is taken out that may come from a client: quoted names become
/// `"n"`, literals `'l'`. Reading it finds what no statement of ours may have.
package struct StatementSkeleton: Sendable, Equatable {
    /// What no statement of ours may have.
    package struct Breach: Error, CustomStringConvertible {
        package var description: String
    }

    package private(set) var text = ""
    /// Highest `$n`.
    package private(set) var parameters = 0

    /// - Throws: for a text that is no single, closed statement of known words.
    package init(_ sql: String) throws(Breach) {
        var reader = Reader(bytes: Array(sql.utf8))
        while let token = try reader.next() { try take(token, sql) }
        guard depth == 0 else { throw Breach(description: "brackets left open: \(sql)") }
    }

    // MARK: - Non public

    private var depth = 0
    /// Within `CAST(… AS `: the only place where words of a client may stand without quotes.
    private var namesAType = false

    private mutating func take(_ token: Token, _ sql: String) throws(Breach) {
        switch token {
        case .name: text += "\"n\""
        case .literal: text += "'l'"
        case .number(let digits): text += digits
        case .parameter(let number):
            parameters = max(parameters, number)
            text += "$\(number)"
        case .word(let word):
            let upper = word.uppercased()
            let isKnown = Self.words.contains(upper)
            if upper == "AS" {
                namesAType = true
            } else if !isKnown, !namesAType {
                throw Breach(description: "the word '\(word)' is not ours: \(sql)")
            }
            text += isKnown ? upper : "type"
        case .mark(let mark):
            namesAType = false
            if mark == "(" || mark == "[" { depth += 1 }
            if mark == ")" || mark == "]" { depth -= 1 }
            guard depth >= 0 else { throw Breach(description: "a bracket too many: \(sql)") }
            text += mark
        }
        text += " "
    }

    /// Every word that a statement of ours may have outside of quotes: of SQL, functions, types of the specimens.
    private static let words = Set(
        """
        WITH SELECT FROM WHERE AND OR NOT AS IN IS NULL TRUE FALSE UNKNOWN LIKE ILIKE SIMILAR TO ANY ALL ON USING
        LEFT INNER JOIN LATERAL CROSS ORDER BY ASC DESC NULLS FIRST LAST LIMIT OFFSET GROUP HAVING DISTINCT EXISTS
        INSERT INTO VALUES DEFAULT UPDATE SET DELETE RETURNING CONFLICT DO NOTHING EXCLUDED CASE WHEN THEN ELSE END CAST
        EXPLAIN FORMAT JSON TEXT ANALYZE VERBOSE SETTINGS BUFFERS WAL VARIADIC COALESCE NULLIF COUNT SUM AVG MAX MIN
        JSON_AGG JSONB_AGG ARRAY_AGG JSON_BUILD_OBJECT JSONB_BUILD_OBJECT TO_JSON TO_JSONB ROW_TO_JSON
        JSON_TO_RECORDSET JSONB_TO_RECORDSET JSON_TO_RECORD JSONB_TO_RECORD JSON_ARRAY_ELEMENTS JSONB_ARRAY_ELEMENTS
        JSON_TYPEOF JSONB_TYPEOF JSON_STRIP_NULLS JSONB_STRIP_NULLS STRING_AGG ARRAY UNNEST FILTER OVER PARTITION
        ROW_NUMBER CURRENT_SETTING TO_TSVECTOR TO_TSQUERY PLAINTO_TSQUERY PHRASETO_TSQUERY WEBSEARCH_TO_TSQUERY
        PGRST_SOURCE _POSTGREST_T PG_CATALOG BOOL BOOLEAN INTEGER INT BIGINT NUMERIC BYTEA JSONB TSVECTOR TSQUERY ROW
        PGRST_CALL PGRST_PAYLOAD PGRST_BODY CTID LENGTH CONCAT REPLACE REGEXP_REPLACE FORMAT QUOTE_IDENT BETWEEN UNION
        JSON_POPULATE_RECORDSET JSONB_POPULATE_RECORDSET XMAX ONLY INTERSECT EXCEPT FOR SHARE SKIP LOCKED PUBLIC TEST
        E ISNULL NOTNULL OPERATOR COLLATE ANYELEMENT RECORD CONVERT_FROM ENCODE DECODE CHR SUBSTRING ESCAPE
        COLOR_TO_JSON COLOR_FROM_TEXT COLOR_FROM_JSON COLOR PGRST_SCALAR PGRST_ROWS ST_ASGEOJSON JSON_OBJECT_KEYS HH K SET_CONFIG ELEMENT _ INT4 INT8 CHARACTER VARYING
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}

/// A piece of a statement's text (PostgreSQL, "Lexical Structure").
private enum Token {
    case name, literal
    case number(String)
    case parameter(Int)
    case word(String)
    case mark(String)
}

private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() throws(StatementSkeleton.Breach) -> Token? {
        while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
        guard let byte = current else { return nil }
        switch byte {
        case UInt8(ascii: "\""):
            try skip(to: byte, escaping: false)
            return .name
        case UInt8(ascii: "'"):
            try skip(to: byte, escaping: false)
            return .literal
        case UInt8(ascii: "E") where following == UInt8(ascii: "'"):
            position += 1
            try skip(to: UInt8(ascii: "'"), escaping: true)
            return .literal
        case UInt8(ascii: "$"):
            position += 1
            guard let number = Int(text(while: Self.isDigit)) else { throw breach("a dollar without number") }
            return .parameter(number)
        case _ where Self.isDigit(byte): return .number(text { Self.isDigit($0) || $0 == UInt8(ascii: ".") })
        case _ where Self.isLetter(byte): return .word(text { Self.isLetter($0) || Self.isDigit($0) })
        case UInt8(ascii: ";"), 0: throw breach("a statement ends")
        case UInt8(ascii: "-") where following == byte: throw breach("a comment begins")
        case UInt8(ascii: "/") where following == UInt8(ascii: "*"): throw breach("a comment begins")
        case UInt8(ascii: "\\"), UInt8(ascii: "`"): throw breach("a mark of no SQL")
        default:
            position += 1
            return .mark(String(Unicode.Scalar(byte)))
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var following: UInt8? { position + 1 < bytes.count ? bytes[position + 1] : nil }

    private mutating func text(while belongs: (UInt8) -> Bool) -> String {
        let start = position
        while let byte = current, belongs(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// From an opening quote to behind the closing one; doubled, it is part of what is quoted.
    private mutating func skip(to quote: UInt8, escaping: Bool) throws(StatementSkeleton.Breach) {
        position += 1
        while let byte = current {
            position += 1
            if byte == 0 { throw breach("a zero byte") }
            if escaping, byte == UInt8(ascii: "\\") {
                position += 1
            } else if byte == quote {
                guard current == quote else { return }
                position += 1
            }
        }
        throw breach("a quote left open")
    }

    private func breach(_ what: String) -> StatementSkeleton.Breach {
        .init(description: "\(what) at byte \(position): \(String(decoding: bytes, as: UTF8.self))")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte >= 0x80
    }
}

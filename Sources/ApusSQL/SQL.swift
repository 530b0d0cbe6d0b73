/// SQL as a type: text that only a programmer wrote, and parameters that only travel as binds.
///
/// A literal becomes text, an interpolation never does:
///
/// ```swift
/// let sql: SQL = "select * from \(ident: "Orders") where id = \(bind: id)"
/// ```
///
/// This is the only place in Apus that glues SQL text. What is not known at compile time enters as an
/// identifier (quoted), as a bind (`$1`), as a quoted literal, or as another `SQL`.
package struct SQL: Sendable, Equatable {
    /// A parameter of the text, in order of appearance.
    package enum Parameter: Sendable, Equatable {
        /// A value that is known now.
        case value(SQLValue)
        /// A value that the caller supplies for every execution: an index into a table of the caller's.
        /// Lets a text be rendered once for many executions.
        case slot(Int)
    }

    /// The text, with `$1`, `$2`… where parameters stand.
    package private(set) var text: String
    package private(set) var parameters: [Parameter]

    package init() {
        text = ""
        parameters = []
    }

    /// Takes over trusted text: a file of ours, or a user's own migration. Never anything a client sent.
    package init(trusted text: String) {
        self.text = text
        parameters = []
    }

    /// Whether there is no text at all.
    package var isEmpty: Bool { text.isEmpty }

    // MARK: - Building

    /// An identifier, quoted.
    package static func ident(_ name: String) -> SQL { SQL(trusted: quoteIdentifier(name)) }

    /// A qualified identifier, both parts quoted; without a schema, the name alone.
    package static func ident(_ schema: String?, _ name: String) -> SQL {
        guard let schema, !schema.isEmpty else { return ident(name) }
        return SQL(trusted: quoteIdentifier(schema) + "." + quoteIdentifier(name))
    }

    /// A string literal, quoted. For names that are part of a statement's shape (JSON keys in a path, say),
    /// never for a client's values: those are binds.
    package static func literal(_ string: String) -> SQL { SQL(trusted: quoteLiteral(string)) }

    package static func bind(_ value: SQLValue) -> SQL {
        var sql = SQL()
        sql.append(.value(value))
        return sql
    }

    /// A parameter that is supplied per execution.
    package static func slot(_ index: Int) -> SQL {
        var sql = SQL()
        sql.append(Parameter.slot(index))
        return sql
    }

    package mutating func append(_ parameter: Parameter) {
        parameters.append(parameter)
        text += "$\(parameters.count)"
    }

    package mutating func append(_ other: SQL) {
        if other.parameters.isEmpty {
            text += other.text
        } else {
            text += Self.renumber(other.text, from: parameters.count)
            parameters += other.parameters
        }
    }

    package static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.append(right)
        return sum
    }

    package static func += (left: inout SQL, right: SQL) { left.append(right) }

    // MARK: - Non public

    /// `$n` becomes `$(n + offset)`. Text inside quotes is left alone: `'$1'` is no parameter.
    private static func renumber(_ text: String, from offset: Int) -> String {
        if offset == 0 { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count + 16)
        var bytes = text.utf8.makeIterator()
        var pending = bytes.next()
        var quote: UInt8?
        while let byte = pending {
            pending = bytes.next()
            result.append(byte)
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "$") {
                var number = 0
                while let digit = pending, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
                    number = number * 10 + Int(digit - UInt8(ascii: "0"))
                    pending = bytes.next()
                }
                if number > 0 { result += String(number + offset).utf8 }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Sequence<SQL> {
    /// The fragments with a separator between them.
    package func joined(separator: SQL) -> SQL {
        var result = SQL()
        var first = true
        for fragment in self {
            if !first { result += separator }
            result += fragment
            first = false
        }
        return result
    }
}

extension SQL: ExpressibleByStringInterpolation {
    /// Collects literal text and interpolated parts.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL()

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { sql += SQL(trusted: literal) }
        package mutating func appendInterpolation(_ fragment: SQL) { sql += fragment }
        package mutating func appendInterpolation(ident name: String) { sql += .ident(name) }
        package mutating func appendInterpolation(ident schema: String?, _ name: String) {
            sql += .ident(schema, name)
        }
        package mutating func appendInterpolation(bind value: SQLValue) { sql.append(.value(value)) }
        package mutating func appendInterpolation(bind value: String) { sql.append(.value(.text(value))) }
        package mutating func appendInterpolation(bind value: Int) {
            sql.append(.value(.text(String(value))))
        }
        package mutating func appendInterpolation(literal string: String) { sql += .literal(string) }
    }

    package init(stringLiteral value: String) { self.init(trusted: value) }
    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }
}

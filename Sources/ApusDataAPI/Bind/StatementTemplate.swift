package import ApusFaults
import ApusPlanner
package import ApusSQL

/// A statement's text with the places of its values: rendered once for a shape of requests, bound for each.
package final class StatementTemplate: Sendable {
    package let text: StatementText
    /// One for each parameter of ``text``, in order: `$1` first.
    package let sources: [BindSource]

    package init(text: StatementText, sources: [BindSource]) {
        self.text = text
        self.sources = sources
    }

    /// The values of one execution.
    ///
    /// Throws `PGRST100` when a list (`in.(…)`) is not written as one: lists are not looked into before.
    package func bind(values: RequestValues, body: [UInt8] = []) throws(Fault) -> Binds {
        var binds = Binds(
            values: sources.count, bytes: values.arena.count + (takesBody ? body.count + 3 : 0))
        for source in sources {
            switch source {
            case .constant(let value): binds.append(value)
            case .operand(let operand, let encoding):
                try Self.append(operand, encoding, from: values, to: &binds)
            case .array(let operands):
                binds.append(text: Self.array(of: operands, from: values))
            case .body(let encoding): Self.append(body, encoding, to: &binds)
            }
        }
        return binds
    }

    /// The statement with the values of one execution; throws as ``bind(values:body:)`` does.
    package func statement(values: RequestValues, body: [UInt8] = []) throws(Fault) -> Statement {
        Statement(text: text, binds: try bind(values: values, body: body))
    }

    /// The statement with the values of several requests, an array for each parameter. Only for templates all of whose
    /// values are single ones of the request.
    func statement(gathering requests: [RequestValues]) -> Statement {
        let length = requests.reduce(0) { $0 + $1.arena.count + 4 * sources.count }
        var binds = Binds(values: sources.count, bytes: length)
        for source in sources {
            guard case .operand(let operand, let encoding) = source else {
                binds.appendNull()
                continue
            }
            var list = ArrayLiteral.Builder()
            for values in requests {
                let value = Self.bytes(of: operand, in: values)
                if encoding == .pattern {
                    list.append(value.lazy.map { $0 == Self.star ? Self.percent : $0 })
                } else {
                    list.append(value)
                }
            }
            binds.append(text: list.finish())
        }
        return Statement(text: text, binds: binds)
    }

    // MARK: - Non public

    private var takesBody: Bool {
        sources.contains { if case .body = $0 { true } else { false } }
    }

    private static func append(
        _ operand: Operand, _ encoding: BindSource.Encoding, from values: RequestValues,
        to binds: inout Binds
    ) throws(Fault) {
        switch encoding {
        case .plain: binds.append(text: bytes(of: operand, in: values))
        case .pattern:
            binds.append(text: bytes(of: operand, in: values).map { $0 == star ? percent : $0 })
        case .list:
            // Positions in the error are those of the whole value, the operator before the list included.
            let (whole, dropping) = written(operand, in: values)
            binds.append(text: try ListLiteral.array(from: whole, startingAt: dropping))
        }
    }

    private static func append(
        _ body: [UInt8], _ encoding: BindSource.BodyEncoding, to binds: inout Binds
    ) {
        switch encoding {
        case .jsonRows:
            binds.append(binary: rows(of: body) ?? body, oid: TypeOID.json)
        case .jsonbRows:
            binds.append(binary: [jsonbVersion] + (rows(of: body) ?? body), oid: TypeOID.jsonb)
        case .raw(let oid): binds.append(binary: body, oid: oid)
        case .text: binds.append(text: body)
        }
    }

    /// A body that is one object as an array of one, so that a statement's text does not depend on which of
    /// the two a client sent; nil when it is no object. White space is that of RFC 8259 §2.
    private static func rows(of body: [UInt8]) -> [UInt8]? {
        let first = body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard first == UInt8(ascii: "{") else { return nil }
        return [UInt8(ascii: "[")] + body + [UInt8(ascii: "]")]
    }

    private static func array(of operands: [Operand], from values: RequestValues) -> [UInt8] {
        var literal = ArrayLiteral.Builder()
        for operand in operands { literal.append(bytes(of: operand, in: values)) }
        return literal.finish()
    }

    private static func bytes(of operand: Operand, in values: RequestValues) -> ArraySlice<UInt8> {
        let (whole, dropping) = written(operand, in: values)
        return whole.dropFirst(dropping)
    }

    /// What the client wrote, and how much of it is not the value.
    private static func written(
        _ operand: Operand, in values: RequestValues
    ) -> (whole: ArraySlice<UInt8>, dropping: Int) {
        switch operand {
        case .slot(let index, let dropping): (values.value(at: index), dropping)
        case .literal(let string): (Array(string.utf8)[...], 0)
        }
    }

    private static let star = UInt8(ascii: "*")
    private static let percent = UInt8(ascii: "%")
    /// First byte of `jsonb`'s binary format (PostgreSQL, `jsonb_recv`).
    private static let jsonbVersion: UInt8 = 1
}

import ApusJSON
package import ApusPostgres

/// Rows of the feed as JSON, as PostgreSQL's `to_jsonb` would show them.
package enum RowJSON {
    /// An object of the columns in `columns` (indexes into the relation's); values that did not travel are left out.
    package static func object(
        _ values: [FeedValue], _ relation: FeedRelation, columns: [Int]
    ) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for index in columns where index < values.count {
            let start = bytes.count
            if start > 1 { bytes.append(UInt8(ascii: ",")) }
            appendJSONString(relation.columns[index].name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            switch values[index] {
            case .unchangedToast: bytes.removeSubrange(start...)
            case .null: bytes += Array("null".utf8)
            case .text(let text): append(text, relation.columns[index], to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// One value of a type.
    static func append(_ text: ArraySlice<UInt8>, _ column: FeedRelation.Column, to bytes: inout [UInt8]) {
        if column.typeName.hasPrefix("_"), let array = ArrayJSON(text)?.json(of: column.typeName.dropFirst())
        {
            bytes += array
        } else {
            append(text, typeName: column.typeName[...], to: &bytes)
        }
    }

    static func append(_ text: ArraySlice<UInt8>, typeName: Substring, to bytes: inout [UInt8]) {
        switch typeName {
        case "bool": bytes += Array((text.first == UInt8(ascii: "t") ? "true" : "false").utf8)
        case "int2", "int4", "int8", "oid": bytes += text
        case "float4", "float8", "numeric":
            // NaN and the infinities are no JSON numbers.
            if text.last.map({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) == true {
                bytes += text
            } else {
                appendJSONString(String(decoding: text, as: UTF8.self), to: &bytes)
            }
        case "json", "jsonb": bytes += text
        case "timestamp", "timestamptz":
            appendJSONString(isoTime(text, hasZone: typeName == "timestamptz"), to: &bytes)
        default: appendJSONString(String(decoding: text, as: UTF8.self), to: &bytes)
        }
    }

    /// `2026-01-01 00:00:00+00` → `2026-01-01T00:00:00+00:00`
    private static func isoTime(_ text: ArraySlice<UInt8>, hasZone: Bool) -> String {
        var bytes = Array(text)
        // An era stands at the end (`… BC`); to_jsonb keeps it there.
        if let space = bytes.firstIndex(of: UInt8(ascii: " ")) { bytes[space] = UInt8(ascii: "T") }
        if hasZone, bytes.count > 3 {
            let sign = bytes[bytes.count - 3]
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { bytes += Array(":00".utf8) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The text form of an array (PostgreSQL, "Array Input and Output Syntax").
struct ArrayJSON {
    private indirect enum Element {
        case null
        case value([UInt8])
        case array([Element])
    }

    private let root: Element

    /// nil for what is no array, or one whose bounds are not the usual ones.
    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        guard rest.first == UInt8(ascii: "{"), let root = Self.read(&rest, depth: 0), rest.isEmpty else {
            return nil
        }
        self.root = root
    }

    func json(of typeName: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        Self.write(root, typeName, to: &bytes)
        return bytes
    }

    /// PostgreSQL allows six dimensions.
    private static func read(_ rest: inout ArraySlice<UInt8>, depth: Int) -> Element? {
        guard depth < 6 else { return nil }
        rest.removeFirst()
        var elements: [Element] = []
        if rest.first == UInt8(ascii: "}") {
            rest.removeFirst()
            return .array([])
        }
        while let byte = rest.first {
            if byte == UInt8(ascii: "{") {
                guard let inner = read(&rest, depth: depth + 1) else { return nil }
                elements.append(inner)
            } else {
                guard let value = scalar(&rest) else { return nil }
                elements.append(value)
            }
            switch rest.popFirst() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return .array(elements)
            default: return nil
            }
        }
        return nil
    }

    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Element? {
        var value: [UInt8] = []
        if rest.first == UInt8(ascii: "\"") {
            rest.removeFirst()
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return .value(value)
                case UInt8(ascii: "\\"):
                    guard let next = rest.popFirst() else { return nil }
                    value.append(next)
                default: value.append(byte)
                }
            }
            return nil
        }
        while let byte = rest.first, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            if byte == UInt8(ascii: "\\") { rest.removeFirst() }
            guard let next = rest.popFirst() else { return nil }
            value.append(next)
        }
        return value.elementsEqual("NULL".utf8) ? .null : .value(value)
    }

    private static func write(_ element: Element, _ typeName: Substring, to bytes: inout [UInt8]) {
        switch element {
        case .null: bytes += Array("null".utf8)
        case .value(let value): RowJSON.append(value[...], typeName: typeName, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element, typeName, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
    }
}

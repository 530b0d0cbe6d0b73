/// What a JSON body holds, as far as a write needs to know before the database reads it.
enum JSONPayload: Equatable {
    /// One object, or an array of objects that all have the same keys. The ranges, in the order of the first
    /// object, are the keys as they stand in the body, without quotes and with their escapes.
    case objects(keys: [Range<Int>])
    /// Valid JSON without an object: an empty array or a scalar.
    case noObjects
    /// An array of other things than objects, or of objects with different keys.
    case unequalKeys
    /// No JSON text (RFC 8259 §2).
    case invalid
    case tooDeep

    /// Reads all of `body` once and checks it to the last byte.
    ///
    /// - Parameter maxDepth: how deep arrays and objects may nest.
    init(scanning body: [UInt8], maxDepth: Int) {
        self = body.withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes, maxDepth: maxDepth)
            var rows = JSONRowKeys(bytes)
            guard let payload = Self.scan(&cursor, &rows) else {
                return cursor.isTooDeep ? .tooDeep : .invalid
            }
            return payload
        }
    }

    /// Nil when it is no JSON.
    private static func scan(_ cursor: inout JSONCursor, _ rows: inout JSONRowKeys) -> JSONPayload? {
        var hasObjects = false
        if cursor.take(UInt8(ascii: "[")) {
            guard cursor.enter() else { return nil }
            if !cursor.take(UInt8(ascii: "]")) {
                repeat {
                    if cursor.isNext(UInt8(ascii: "{")) {
                        guard scanRow(&cursor, &rows) else { return nil }
                        hasObjects = true
                    } else {
                        guard cursor.skipValue() else { return nil }
                        rows.noteOtherValue()
                    }
                } while cursor.take(UInt8(ascii: ","))
                guard cursor.take(UInt8(ascii: "]")) else { return nil }
            }
        } else if cursor.isNext(UInt8(ascii: "{")) {
            guard scanRow(&cursor, &rows) else { return nil }
            hasObjects = true
        } else {
            guard cursor.skipValue() else { return nil }
        }
        guard cursor.isAtEnd() else { return nil }
        guard rows.areEqual else { return .unequalKeys }
        return hasObjects ? .objects(keys: rows.first) : .noObjects
    }

    private static func scanRow(_ cursor: inout JSONCursor, _ rows: inout JSONRowKeys) -> Bool {
        guard cursor.take(UInt8(ascii: "{")), cursor.enter() else { return false }
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                guard let key = cursor.takeKey() else { return false }
                rows.note(key)
                guard cursor.skipValue() else { return false }
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { return false }
        }
        cursor.leave()
        rows.endRow()
        return true
    }
}

package import ApusFaults
package import ApusJSON

/// What the parts of a batch have answered so far, and how later parts refer to it: by JSON Pointer (RFC 6901), whose
/// first step is a part's id, then `status`, `headers` or `body`.
package struct BatchResults: Sendable {
    private var results = JSONObject()
    private let limit: Int
    private var answered = 0
    private var referred = 0

    /// - Parameter limit: most bytes of all answers together, and of all that references bring into requests.
    package init(limit: Int) { self.limit = limit }

    /// The answers in order, as the batch's answer shows them.
    package var document: JSONValue {
        .object([
            "responses": .array(
                results.members.map { member in
                    var object: JSONObject = ["id": .string(member.name)]
                    object.members += member.value.object?.members ?? []
                    return .object(object)
                })
        ])
    }

    /// Notes the answer of a part. A body that is no JSON is noted as text.
    ///
    /// - Throws: APUS453 when the answers become too large.
    package mutating func add(
        id: String, status: Int, fields: [HeaderField], body: [UInt8]
    ) throws(Fault) {
        answered += body.count
        try check(answered, "answers")
        var headers = JSONObject()
        headers.members = fields.map { .init(name: $0.name, value: .string($0.value)) }
        let value: JSONValue =
            body.isEmpty
            ? .null : (try? JSONReader.read(body)) ?? .string(String(decoding: body, as: UTF8.self))
        results[id] = .object(["status": .int(status), "headers": .object(headers), "body": value])
    }

    /// A part's path with `{/id/body/…}` replaced by what they point to, percent-encoded.
    ///
    /// - Throws: APUS452 for a pointer to nothing, or to an object or array; APUS453 for too much.
    package mutating func resolve(path: String) throws(Fault) -> String {
        guard path.contains("{/") else { return path }
        var result = ""
        var rest = path[...]
        while let open = rest.firstRange(of: "{/") {
            guard let close = rest[open.lowerBound...].firstIndex(of: "}") else { break }
            result += rest[..<open.lowerBound]
            let pointer = String(rest[rest.index(after: open.lowerBound)..<close])
            switch try value(at: pointer) {
            case .string(let text), .number(let text):
                referred += text.utf8.count
                try check(referred, "references")
                result += percentEncoded(text)
            case .bool(let flag): result += flag ? "true" : "false"
            case .null: result += "null"
            case .array, .object: throw Self.dangling(pointer, "It points to an object or array.")
            }
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// A part's body with every `{"$ref": "/id/body/…"}` replaced by what it points to.
    ///
    /// - Throws: APUS452 for a pointer to nothing, APUS453 for too much.
    package mutating func resolve(body: JSONValue) throws(Fault) -> JSONValue {
        switch body {
        case .array(let items):
            var resolved: [JSONValue] = []
            for item in items { resolved.append(try resolve(body: item)) }
            return .array(resolved)
        case .object(let object):
            if object.members.count == 1, let pointer = object["$ref"]?.text {
                let value = try value(at: pointer)
                // Counted before it is written out: references to references grow by leaps.
                referred += value.bytes.count
                try check(referred, "references")
                return value
            }
            var resolved = JSONObject()
            for member in object.members {
                resolved.members.append(.init(name: member.name, value: try resolve(body: member.value)))
            }
            return .object(resolved)
        case .null, .bool, .number, .string: return body
        }
    }

    // MARK: - Non public

    private func value(at pointer: String) throws(Fault) -> JSONValue {
        guard pointer.hasPrefix("/") else { throw Self.dangling(pointer, "A pointer begins with a slash.") }
        var value = JSONValue.object(results)
        for step in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let name = step.replacing("~1", with: "/").replacing("~0", with: "~")
            let next: JSONValue?
            switch value {
            case .object(let object): next = object[String(name)]
            case .array(let items): next = Int(name).flatMap { items.indices.contains($0) ? items[$0] : nil }
            default: next = nil
            }
            guard let next else { throw Self.dangling(pointer, "There is nothing at '\(name)'.") }
            value = next
        }
        return value
    }

    private func check(_ bytes: Int, _ what: String) throws(Fault) {
        guard bytes > limit else { return }
        throw Fault(
            code: "APUS453", kind: .tooLarge,
            message: "The \(what) of a batch may hold \(limit) bytes; these are more.",
            details: "Nothing was done.",
            hint: "Select fewer rows and columns, send several batches, or raise batch-max-bytes.")
    }

    private static func dangling(_ pointer: String, _ details: String) -> Fault {
        Fault(
            code: "APUS452", kind: .invalid,
            message: "The reference '\(pointer)' points to no earlier result.",
            details: details,
            hint:
                "Refer to a request before this one by its id or position: /0/body/0/id. Its body is there with "
                + "Prefer: return=representation.")
    }
}

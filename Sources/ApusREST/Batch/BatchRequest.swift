package import ApusFaults
package import ApusJSON

/// Requests that are carried out together: in order, in one transaction, all or none.
///
/// ```json
/// {"requests": [
///   {"id": "order", "method": "POST", "path": "/orders", "headers": {"Prefer": "return=representation"},
///    "body": {"customer": 7}},
///   {"method": "POST", "path": "/items", "body": {"order_id": {"$ref": "/order/body/0/id"}}},
///   {"method": "GET", "path": "/orders?id=eq.{/order/body/0/id}"}
/// ]}
/// ```
package struct BatchRequest: Sendable {
    /// One request of a batch, its references not yet resolved.
    package struct Part: Sendable {
        /// The name that later parts refer to; the position when none is given.
        package var id: String
        package var method: String
        /// Path below the dialect's prefix, with its query.
        package var path: String
        package var headers: [(name: String, value: String)]
        package var body: JSONValue?
    }

    package var parts: [Part]

    /// - Parameter limit: most requests in one batch.
    /// - Throws: APUS450 for what is no batch, APUS451 for too many requests.
    package init(_ bytes: [UInt8], limit: Int) throws(Fault) {
        guard let document = try? JSONReader.read(bytes) else {
            throw Self.malformed("The body is no JSON, is nested too deep, or repeats a name in an object.")
        }
        guard let items = document.object?["requests"]?.array ?? document.array, !items.isEmpty else {
            throw Self.malformed("'requests' must be a list with at least one request.")
        }
        guard items.count <= limit else {
            throw Fault(
                code: "APUS451", kind: .tooLarge,
                message: "A batch may hold \(limit) requests; this one has \(items.count).",
                hint: "Send several batches, or raise batch-max-requests.")
        }
        parts = []
        var seen = Set<String>()
        for (index, item) in items.enumerated() {
            let part = try Self.part(item, at: index)
            guard seen.insert(part.id).inserted else {
                throw Self.malformed("The id '\(part.id)' stands for two requests.")
            }
            parts.append(part)
        }
    }

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]

    private static func part(_ item: JSONValue, at index: Int) throws(Fault) -> Part {
        guard let object = item.object else { throw malformed("Request \(index) is no object.") }
        let method = object["method"]?.text ?? "GET"
        guard methods.contains(method) else {
            throw malformed(
                "Request \(index): the method must be one of \(methods.sorted().joined(separator: ", ")).")
        }
        guard let path = object["path"]?.text, path.hasPrefix("/"), !path.hasPrefix("/$batch") else {
            throw malformed(
                "Request \(index): 'path' must begin with a slash and name a relation or function.")
        }
        var headers: [(name: String, value: String)] = []
        for member in object["headers"]?.object?.members ?? [] {
            guard let value = member.value.text else {
                throw malformed("Request \(index): the header '\(member.name)' must be a string.")
            }
            guard member.name.lowercased() != "idempotency-key" else {
                throw malformed("Request \(index): an Idempotency-Key belongs to the batch as a whole.")
            }
            headers.append((member.name, value))
        }
        return Part(
            id: object["id"]?.text ?? String(index), method: method, path: path, headers: headers,
            body: object["body"])
    }

    static func malformed(_ details: String) -> Fault {
        Fault(
            code: "APUS450", kind: .invalid, message: "This is no batch of requests.", details: details,
            hint: #"Send {"requests": [{"method": "POST", "path": "/items", "body": {}}]}."#)
    }
}

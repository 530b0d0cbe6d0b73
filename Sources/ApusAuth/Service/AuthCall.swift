package import ApusJSON

/// One request to authentication, free of HTTP: what was asked, from where.
package struct AuthCall: Sendable {
    /// The body's members; of a form, its fields as strings. Empty without a body.
    package var body: JSONObject
    /// Parameters of the query, each once.
    package var query: [String: String]
    /// What stood in the path where the route has a name: `id` of `/admin/users/:id`.
    package var path: [String: String]
    /// Where it came from: the peer, or what trusted proxies say. IPv6 in full; empty when unknown.
    package var address: String
    package var userAgent: String?
    /// Where the client wants to be sent to; not yet checked.
    package var redirectTo: String?
    /// The field `Cookie`, for what is bound to a browser.
    package var cookies: String?
    /// Whether the body is a form, sent by a page and not by a client.
    package var isForm: Bool
    /// The name of the API key that an administrator came with; nil for a token.
    package var keyName: String?

    package init(
        body: JSONObject = [:], query: [String: String] = [:], path: [String: String] = [:],
        address: String = "",
        userAgent: String? = nil, redirectTo: String? = nil, cookies: String? = nil, isForm: Bool = false
    ) {
        self.body = body
        self.query = query
        self.path = path
        self.address = address
        self.userAgent = userAgent
        self.redirectTo = redirectTo
        self.cookies = cookies
        self.isForm = isForm
    }

    // MARK: - The body's members

    /// A text; nil when it is missing, null or empty.
    ///
    /// - Throws: `validation_failed` for anything but a text, and for a NUL, which no column can hold.
    package func text(_ name: String, limit: Int = 4096) throws(AuthFault) -> String? {
        switch body[name] {
        case nil, .null: return nil
        case .string(let text):
            guard text.utf8.count <= limit else { throw .invalid("\(name) is too long") }
            guard !text.utf8.contains(0) else { throw .invalid("\(name) must not contain NUL") }
            return text.isEmpty ? nil : text
        default: throw .invalid("\(name) must be a string")
        }
    }

    /// A flag; nil when it is missing or null.
    ///
    /// - Throws: `validation_failed` for anything but a boolean.
    package func flag(_ name: String) throws(AuthFault) -> Bool? {
        switch body[name] {
        case nil, .null: return nil
        case .bool(let flag): return flag
        default: throw .invalid("\(name) must be a boolean")
        }
    }

    /// An object; nil when it is missing or null.
    ///
    /// - Throws: `validation_failed` for anything but an object.
    package func object(_ name: String) throws(AuthFault) -> JSONObject? {
        switch body[name] {
        case nil, .null: return nil
        case .object(let object): return object
        default: throw .invalid("\(name) must be an object")
        }
    }
}

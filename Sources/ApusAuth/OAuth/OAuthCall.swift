/// A request to the identity provider, free of HTTP.
package struct OAuthCall: Sendable {
    /// Parameters of the query, or of the form of a POST.
    package var parameters: OAuthParameters
    /// Where it came from.
    package var call: AuthCall
    /// `Authorization` as it came; nil without one.
    package var authorization: String?
    /// Whether parameters came in the body of a POST, as a form.
    package var isForm: Bool
    /// The browser's cookie of the provider's pages.
    package var cookie: String?
    /// `Origin`, which browsers send with a POST.
    package var origin: String?

    package init(
        parameters: OAuthParameters, call: AuthCall, authorization: String? = nil, isForm: Bool = false,
        cookie: String? = nil, origin: String? = nil
    ) {
        self.parameters = parameters
        self.call = call
        self.authorization = authorization
        self.isForm = isForm
        self.cookie = cookie
        self.origin = origin
    }
}

/// Parameters of OAuth: each at most once (RFC 6749 §3.1), an empty one is none.
package struct OAuthParameters: Sendable {
    private var values: [String: String] = [:]
    /// Names that came more than once; their values are not to be trusted.
    package private(set) var repeated: Set<String> = []

    /// Longer values are refused.
    private static let limit = 8192

    package init(_ pairs: [(String, String)]) {
        for (name, value) in pairs where !value.isEmpty {
            if values.updateValue(value, forKey: name) != nil || value.utf8.count > Self.limit {
                repeated.insert(name)
            }
        }
    }

    package subscript(name: String) -> String? { repeated.contains(name) ? nil : values[name] }

    /// - Throws: `invalid_request` when a parameter came twice.
    func checkUnique() throws(OAuthFault) {
        if let name = repeated.min() {
            throw .invalidRequest("\(name) is given more than once, or is too long.")
        }
    }

    /// - Throws: `invalid_request` without it.
    func required(_ name: String) throws(OAuthFault) -> String {
        guard let value = self[name] else { throw .invalidRequest("\(name) is missing.") }
        return value
    }
}

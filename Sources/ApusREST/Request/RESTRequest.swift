/// What the dialect reads of an HTTP request. An edge fills it in; nothing here knows a web framework.
package struct RESTRequest: Sendable {
    /// The header fields that the dialect knows. All others do not change what is asked.
    package struct Fields: Sendable, Equatable {
        /// `Accept-Profile`: the schema to read from; the first line.
        package var acceptProfile: String?
        /// `Content-Profile`: the schema to write to; the first line.
        package var contentProfile: String?
        /// All lines of `Prefer` (RFC 7240 §2).
        package var prefer: [String]
        /// All lines of `Accept` (RFC 9110 §12.5.1).
        package var accept: [String]
        package var contentType: String?
        package var range: String?

        package init(
            acceptProfile: String? = nil, contentProfile: String? = nil, prefer: [String] = [],
            accept: [String] = [], contentType: String? = nil, range: String? = nil
        ) {
            self.acceptProfile = acceptProfile
            self.contentProfile = contentProfile
            self.prefer = prefer
            self.accept = accept
            self.contentType = contentType
            self.range = range
        }
    }

    /// In upper case, as it came.
    package var method: String
    /// Segments below the dialect's prefix, percent-decoded: empty for its root.
    package var path: [String]
    /// What stands after the question mark, as it came.
    package var query: [UInt8]
    package var fields: Fields
    package var body: [UInt8]

    package init(
        method: String, path: [String], query: [UInt8] = [], fields: Fields = Fields(), body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
    }
}

extension RESTRequest.Fields {
    /// Picks the fields that the dialect knows out of a request's header, names in any case.
    package init(_ header: some Sequence<(name: String, value: String)>) {
        self.init()
        for (name, value) in header { add(name: name, value: value) }
    }

    /// Whether a field of this name is one that the dialect knows.
    package static func knows(_ name: String) -> Bool {
        var fields = Self()
        fields.add(name: name, value: "x")
        return fields != Self()
    }

    /// Notes a field if it is one that the dialect knows. Most are told apart by the length of their name.
    package mutating func add(name: String, value: String) {
        switch name.utf8.count {
        case 5 where name.isField("range"): range = range ?? value
        case 6 where name.isField("prefer"): prefer.append(value)
        case 6 where name.isField("accept"): accept.append(value)
        case 12 where name.isField("content-type"): contentType = contentType ?? value
        case 14 where name.isField("accept-profile"): acceptProfile = acceptProfile ?? value
        case 15 where name.isField("content-profile"): contentProfile = contentProfile ?? value
        default: break
        }
    }
}

extension String {
    /// Whether this is the field name `lowercased`; field names are ASCII and have no case (RFC 9110 §5.1).
    fileprivate func isField(_ lowercased: StaticString) -> Bool {
        lowercased.withUTF8Buffer { name in
            utf8.elementsEqual(name) { $0 == $1 || ($0 | 0x20 == $1 && $0 &- 0x41 < 26) }
        }
    }
}

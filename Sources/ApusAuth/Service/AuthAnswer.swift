package import ApusFaults
package import ApusJSON

/// What goes back.
package struct AuthAnswer: Sendable {
    package enum Body: Sendable {
        case none
        case json(JSONValue)
        case html(String)
    }

    /// HTTP status.
    package var status: Int
    package var fields: [HeaderField]
    package var body: Body
    /// Whether a cache on the way may keep it; everything else is marked `no-store`.
    package var isPublic: Bool

    package init(status: Int = 200, fields: [HeaderField] = [], body: Body = .none, isPublic: Bool = false) {
        self.status = status
        self.fields = fields
        self.body = body
        self.isPublic = isPublic
    }

    package static func json(_ value: JSONValue, status: Int = 200) -> AuthAnswer {
        AuthAnswer(status: status, body: .json(value))
    }

    package static func object(_ object: JSONObject, status: Int = 200) -> AuthAnswer {
        .json(.object(object), status: status)
    }

    /// `{}`
    package static let done = AuthAnswer.object([:])
    /// 204
    package static let noContent = AuthAnswer(status: 204)

    /// 303 (RFC 9110, 15.4.4), or another status of its kind.
    package static func redirect(_ location: String, status: Int = 303) -> AuthAnswer {
        AuthAnswer(status: status, fields: [HeaderField("Location", location)])
    }
}

/// A coded error that may be shown to a client.
///
/// Every stage of Apus fails with an enum of its own and turns it into a `Fault` at its border. A fault
/// knows no protocol: an edge maps its ``kind`` to a status (HTTP, gRPC, WebSocket close code) and its four
/// texts to the body that the dialect fixes. Codes are stable and listed in `docs/errors.md`.
package struct Fault: Error, Sendable, Equatable {
    /// What an edge needs to know to choose a status, and a client to choose what to do next.
    package enum Kind: Sendable, Equatable {
        /// The request itself is wrong; repeating it unchanged cannot help.
        case invalid
        /// No valid credentials where some are needed, or credentials that do not hold.
        case unauthenticated
        /// Known caller, not allowed.
        case forbidden
        case notFound
        case methodNotAllowed
        /// No representation that the client accepts.
        case notAcceptable
        case conflict
        case tooLarge
        case unsupportedMediaType
        case rangeNotSatisfiable
        case preconditionFailed
        /// More than the caller may ask for in this time.
        case rateLimited
        /// The work took longer than it may.
        case timeout
        /// Not now: full, starting, stopping, or the database is away. Worth repeating later.
        case unavailable
        /// Asked for something that this server does not do.
        case unsupported
        /// A defect or a broken environment; the client can do nothing about it.
        case `internal`
        /// The status that the dialect fixes for this very code.
        case status(Int)
    }

    /// Stable code, for instance `PGRST204` or an SQLSTATE such as `23505`.
    package var code: String
    package var kind: Kind
    /// One sentence that says what was wrong.
    package var message: String
    /// More about this case; already JSON when ``detailsAreJSON`` says so.
    package var details: String?
    /// How to mend it.
    package var hint: String?
    /// Whether ``details`` holds a JSON value that goes into the body as it is.
    package var detailsAreJSON: Bool
    /// Whether the work may have happened although this fault is the answer (a connection lost after the
    /// statement was sent). A client may repeat a fault that says `false` without harm.
    package var mayHaveHappened: Bool
    /// Header fields that belong to this fault in the HTTP dialects (for instance `WWW-Authenticate`).
    package var fields: [HeaderField]

    /// Whether the same may succeed in a moment: something is away for now, or was too slow.
    package var isTransient: Bool { kind == .unavailable || kind == .timeout }

    package init(
        code: String, kind: Kind, message: String, details: String? = nil, hint: String? = nil,
        detailsAreJSON: Bool = false, mayHaveHappened: Bool = false, fields: [HeaderField] = []
    ) {
        self.code = code
        self.kind = kind
        self.message = message
        self.details = details
        self.hint = hint
        self.detailsAreJSON = detailsAreJSON
        self.mayHaveHappened = mayHaveHappened
        self.fields = fields
    }
}

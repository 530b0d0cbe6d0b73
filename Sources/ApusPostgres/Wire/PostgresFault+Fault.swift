package import ApusFaults

extension PostgresFault {
    /// The fault for a caller who is somebody.
    package var fault: Fault { fault(isAnonymous: false) }

    /// The coded error for a client, with the codes and statuses that the PostgREST dialect documents
    /// (PostgREST, "Errors"). A missing privilege (42501) asks an anonymous caller to log in and refuses a
    /// known one. Raised `PGRST` errors carry their answer in message and detail; reading those is the
    /// caller's.
    package func fault(isAnonymous: Bool) -> Fault {
        var fault = Fault(
            code: code, kind: faultKind(isAnonymous: isAnonymous), message: shownMessage,
            details: shownDetail,
            hint: hint, mayHaveHappened: mayHaveHappened)
        if fault.kind == .unauthenticated {
            fault.fields.append(.init(name: "WWW-Authenticate", value: "Bearer"))
        }
        return fault
    }

    private var code: String {
        switch kind {
        case .server, .timeout, .cancelled, .invalidValue: sqlState ?? "PGRSTX00"
        case .unavailable: "PGRST000"
        case .connectionLost, .shutdown: "PGRST001"
        case .poolFull, .poolTimeout: "PGRST003"
        case .protocol: "PGRSTX00"
        }
    }

    /// What the dialect shows: fixed words for what concerns the connection, the server's for the rest.
    private var shownMessage: String {
        switch kind {
        case .unavailable: "Database connection error. Retrying the connection."
        case .connectionLost: "Database client error. Retrying the connection."
        case .poolTimeout: "Timed out acquiring connection from connection pool."
        default: message
        }
    }

    private var shownDetail: String? {
        switch kind {
        case .unavailable, .connectionLost: detail ?? message
        default: detail
        }
    }

    private func faultKind(isAnonymous: Bool) -> Fault.Kind {
        switch kind {
        case .server: serverKind(sqlState ?? "XX000", isAnonymous: isAnonymous)
        case .connectionLost, .unavailable, .poolFull, .shutdown: .unavailable
        case .poolTimeout: .status(504)
        case .timeout, .cancelled: .timeout
        case .invalidValue: .invalid
        case .protocol: .internal
        }
    }

    /// Which status an SQLSTATE means, by its code and else by its class.
    private func serverKind(_ state: String, isAnonymous: Bool) -> Fault.Kind {
        switch state {
        case "23503", "23505": .conflict
        case "25006": .methodNotAllowed
        case "21000": message.hasSuffix("requires a WHERE clause") ? .invalid : .internal
        case "22023":
            message.hasPrefix("role") && message.hasSuffix("does not exist") ? .unauthenticated : .invalid
        case "53400": .internal
        case "57P01": .unavailable
        case "P0001": .invalid
        case "42883": message.hasPrefix("function xmlagg(") ? .notAcceptable : .notFound
        case "42P01": .notFound
        case "42P17": .internal
        case "42501": isAnonymous ? .unauthenticated : .forbidden
        default: Self.classKind(state)
        }
    }

    private static func classKind(_ state: String) -> Fault.Kind {
        switch state.prefix(2) {
        case "08", "53": .unavailable
        case "0L", "0P", "28": .forbidden
        case "PT":
            Int(state.dropFirst(2)).flatMap { (200...599).contains($0) ? .status($0) : nil } ?? .internal
        case "09", "25", "2D", "38", "39", "3B", "40", "54", "55", "57", "58", "F0", "HV", "P0", "XX":
            .internal
        default: .invalid
        }
    }
}

import ApusFaults
import ApusJSON
import ApusPostgres

/// What a client is told of the database's refusal, in the dialect's words.
enum DatabaseFault {
    /// - Parameter isAnonymous: whether the caller could get further by logging in.
    static func fault(_ refusal: PostgresFault, isAnonymous: Bool) -> Fault {
        if refusal.sqlState == "PGRST" { return raised(message: refusal.message, detail: refusal.detail) }
        if let guarded = RowGuard.fault(of: refusal) { return guarded }
        return refusal.fault(isAnonymous: isAnonymous)
    }

    /// `raise sqlstate 'PGRST'`: message and detail are JSON and say the whole response.
    private static func raised(message: String, detail: String?) -> Fault {
        guard let words = try? JSONReader.read(Array(message.utf8)).object, let code = words["code"]?.text,
            let text = words["message"]?.text
        else {
            return unreadable(
                "Invalid JSON value for MESSAGE: '\(message)'",
                "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: "
                    + "'details', 'hint'.")
        }
        let detailHint =
            "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: "
            + "'status_text'."
        guard let detail else { return unreadable("DETAIL is missing in the RAISE statement", detailHint) }
        guard let response = try? JSONReader.read(Array(detail.utf8)).object,
            case .number(let number)? = response["status"], let status = Int(number),
            (100...599).contains(status), let headers = response["headers"]?.object
        else { return unreadable("Invalid JSON value for DETAIL: '\(detail)'", detailHint) }
        let fields = headers.members.compactMap { member in
            member.value.text.map { HeaderField(name: member.name, value: $0) }
        }
        return Fault(
            code: code, kind: .status(status), message: text, details: words["details"]?.text,
            hint: words["hint"]?.text, fields: fields)
    }

    private static func unreadable(_ details: String, _ hint: String) -> Fault {
        Fault(
            code: "PGRST121", kind: .internal,
            message: "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
            details: details, hint: hint)
    }
}

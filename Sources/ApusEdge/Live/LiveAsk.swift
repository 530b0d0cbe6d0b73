import ApusREST

/// How a request asks for more than one answer: fields that are no part of what is read, taken out of what the dialect
/// sees.
enum LiveAsk {
    /// Notes `Accept: text/event-stream` and `Prefer: wait=…` (RFC 7240 §4.3) with the call.
    static func take(from fields: inout RESTRequest.Fields, _ call: RESTCall, _ live: LiveReads?) {
        if fields.accept.contains(where: { $0.contains("text/event-stream") }) {
            fields.accept = ["application/json"]
            call.wantsEvents = true
        }
        guard let live, fields.prefer.contains(where: { $0.contains("wait=") }) else { return }
        fields.prefer = fields.prefer.compactMap { line in
            let rest = line.split(separator: ",").filter { part in
                let part = part.drop { $0 == " " }
                guard part.hasPrefix("wait="), let seconds = Int(part.dropFirst(5).prefix { $0.isNumber })
                else {
                    return true
                }
                call.waitSeconds = min(seconds, live.settings.longestWait)
                return false
            }
            return rest.isEmpty ? nil : rest.joined(separator: ",")
        }
    }
}

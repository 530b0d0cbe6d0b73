import ApusREST

/// How a request asks for more than one answer: fields that are no part of what is read, taken out of what the dialect
/// sees.
struct LiveAsk: Sendable {
    /// `Accept: text/event-stream`
    private(set) var wantsEvents = false
    /// `Prefer: wait=…` (RFC 7240 §4.3), seconds; 0 without.
    private(set) var waitSeconds = 0

    /// One answer.
    init() {}

    init(takenFrom fields: inout RESTRequest.Fields, _ live: LiveReads?) {
        if fields.accept.contains(where: { $0.contains("text/event-stream") }) {
            fields.accept = ["application/json"]
            wantsEvents = true
        }
        guard let live, fields.prefer.contains(where: { $0.contains("wait=") }) else { return }
        var seconds = 0
        fields.prefer = fields.prefer.compactMap { line in
            let rest = line.split(separator: ",").filter { part in
                let part = part.drop { $0 == " " }
                guard part.hasPrefix("wait="), let said = Int(part.dropFirst(5).prefix { $0.isNumber }) else {
                    return true
                }
                seconds = min(said, live.settings.longestWait)
                return false
            }
            return rest.isEmpty ? nil : rest.joined(separator: ",")
        }
        waitSeconds = seconds
    }
}

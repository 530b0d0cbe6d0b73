import ApusFaults
package import ApusHTTP

/// Which part of Apus answers a path: a short list of prefixes, looked through in order.
///
/// The dialects below a prefix route themselves, so there are few entries and no tree is needed.
package struct Routes: Sendable {
    /// Answers an exchange, now or later; called on the connection's event loop, must not block.
    package typealias Responder = @Sendable (HTTPExchange) -> Void

    private struct Entry: Sendable {
        var prefix: String
        var isExact: Bool
        var respond: Responder
    }

    private var entries: [Entry] = []

    package init() {}

    /// Answers `prefix` and everything below it.
    package mutating func under(_ prefix: String, _ respond: @escaping Responder) {
        entries.append(Entry(prefix: prefix, isExact: false, respond: respond))
    }

    /// Answers this path alone.
    package mutating func at(_ path: String, _ respond: @escaping Responder) {
        entries.append(Entry(prefix: path, isExact: true, respond: respond))
    }

    /// Looks first at the entry of a prefix that most exchanges are for, unless another one before it lies below that prefix.
    package mutating func favour(_ prefix: String) {
        guard let index = entries.firstIndex(where: { $0.prefix == prefix && !$0.isExact }),
            !entries[..<index].contains(where: { matches(entries[index], $0.prefix[...]) })
        else { return }
        entries.insert(entries.remove(at: index), at: 0)
    }

    /// Hands the exchange to the first entry that its path matches; answers 404 when there is none.
    package func respond(to exchange: HTTPExchange) {
        let path = exchange.request.path
        for entry in entries where matches(entry, path) { return entry.respond(exchange) }
        exchange.respond(Problem.response(Self.nothing))
    }

    /// What a path gets that leads nowhere.
    static let nothing = Fault(
        code: "APUS404", kind: .notFound, message: "Nothing is served at this path.",
        hint: "The data API is under /rest/v1; see also /health/ready and /metrics.")

    private func matches(_ entry: Entry, _ path: Substring) -> Bool {
        if entry.isExact { return path == entry.prefix }
        guard path.utf8.starts(with: entry.prefix.utf8) else { return false }
        if entry.prefix.utf8.last == UInt8(ascii: "/") || entry.prefix.isEmpty { return true }
        let rest = path.utf8.dropFirst(entry.prefix.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
}

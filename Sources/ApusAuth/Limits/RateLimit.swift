import ApusPostgres
package import ApusSQL

/// How often something may happen: so many times in so many seconds, spread or at once.
///
/// Counted in PostgreSQL, so it holds for all nodes together. One row a subject remembers when all its tries are back
/// (the generic cell rate algorithm, ITU-T I.371): a window that slides, in one statement, without a list of moments.
package struct RateLimit: Sendable {
    /// What is counted; limits of another scope count apart.
    package var scope: String
    /// Tries at once; 0: unlimited.
    package var count: Int
    /// Seconds until all of them are back.
    package var seconds: Int

    package init(_ scope: String, _ count: Int, per seconds: Int) {
        self.scope = scope
        self.count = count
        self.seconds = seconds
    }

    /// Takes one try of `subject`: a row when there was one, none when there was not. nil: there is no limit.
    package func taking(_ subject: String) -> SQL? {
        guard count > 0 else { return nil }
        let step: SQL =
            "make_interval(secs => \(bind: Self.seconds(Double(seconds) / Double(count)))::float8)"
        return """
            insert into auth.rate_limits as l (scope, subject, full_at)
            values (\(bind: scope), \(bind: subject), clock_timestamp() + \(step))
            on conflict (scope, subject) do update
            set full_at = greatest(l.full_at, clock_timestamp()) + \(step)
            where greatest(l.full_at, clock_timestamp()) + \(step)
                <= clock_timestamp() + make_interval(secs => \(bind: seconds)::float8 + 0.001)
            returning 1
            """
    }

    /// Seconds after which the next try is back.
    package var retryAfter: Int { max(1, (seconds + max(1, count) - 1) / max(1, count)) }

    private static func seconds(_ number: Double) -> String { "\(number)" }
}

extension AuthService {
    /// Takes a try of each, or refuses.
    ///
    /// - Throws: 429 when one of them has none left.
    package func take(
        _ limits: [(limit: RateLimit, subject: String)], code: String = "over_request_rate_limit",
        message: String = "Request rate limit reached"
    ) async throws {
        let asked = limits.compactMap { item in item.limit.taking(item.subject).map { (item.limit, $0) } }
        guard !asked.isEmpty else { return }
        let answers = try await database.run(asked.map(\.1))
        for (index, rows) in answers.enumerated() where rows.count == 0 {
            throw AuthFault.tooOften(code, message, retryAfter: asked[index].0.retryAfter)
        }
    }

    /// The limits of one kind of request from one address.
    package func takeTry(
        _ scope: String, _ count: Int, per seconds: Int = 300, of call: AuthCall
    ) async throws {
        try await take([(RateLimit(scope, count, per: seconds), NetworkAddress(call.address).subscriber)])
    }

    /// One message to an address that may or may not be a user's: the answer is the same.
    ///
    /// - Throws: 429 when this address got one lately, or everybody together too many.
    package func takeMessage(to recipient: String, _ channel: AuthMessage.Channel) async throws {
        let isMail = channel == .email
        let interval = isMail ? settings.mailInterval : settings.textInterval
        let overall = isMail ? settings.mailsPerHour : settings.textsPerHour
        let kind = isMail ? "mail" : "text"
        try await take(
            [
                (RateLimit("\(kind) to one", interval > 0 ? 1 : 0, per: interval), try pseudonym(recipient)),
                (RateLimit("\(kind) to all", overall, per: 3600), ""),
            ],
            code: isMail ? "over_email_send_rate_limit" : "over_sms_send_rate_limit",
            message: "For security purposes, you can only request this after \(interval) seconds.")
    }
}

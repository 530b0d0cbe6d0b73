import ApusJSON
package import ApusPostgres

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns bearer tokens into principals (RFC 6750, RFC 7519), with PostgREST's rules and answers.
///
/// Immutable but for its cache; new settings make a new verifier, and with it an empty cache. Everything is
/// synchronous: a token that was seen costs a hash and a comparison, a new one the check of its signature (a few
/// microseconds for HMAC, some tens for RSA and elliptic curves).
package final class TokenVerifier: Sendable {
    /// The current time, seconds since 1970.
    package typealias Clock = @Sendable () -> Int64

    private let keys: VerificationKeySet?
    private let check: ClaimsCheck
    private let rolePath: RoleClaimPath
    private let maximumTokenBytes: Int
    private let cache: PrincipalCache
    private let trust: TokenTrust?
    private let now: Clock

    /// The principal of requests without a token; nil when such requests are refused. The same object every time,
    /// so that callers can tell it by identity.
    package let anonymous: Principal?

    /// - Parameter trust: keys and ended sessions that change while this verifier lives; nil: there are none.
    package init(
        settings: TokenSettings, trust: TokenTrust? = nil, clock: @escaping Clock = TokenVerifier.systemClock
    ) throws(TokenSettingsFault) {
        let audience = settings.audience.flatMap { $0.isEmpty ? nil : $0 }
        if let audience, !Self.isStringOrURI(audience) {
            throw TokenSettingsFault("jwt-aud", "jwt-aud should be a string or a valid URI")
        }
        let anonymousRole = settings.anonymousRole.flatMap { $0.isEmpty ? nil : $0 }
        if let anonymousRole, !Self.isRole(anonymousRole) {
            throw TokenSettingsFault("db-anon-role", "it cannot be the name of a role")
        }
        keys = try VerificationKeySet(settings)
        check = ClaimsCheck(audience: audience)
        rolePath = try RoleClaimPathReader.read(settings.roleClaimKey)
        maximumTokenBytes = settings.maximumTokenBytes
        cache = PrincipalCache(capacity: settings.cacheMaxEntries, trust: trust)
        self.trust = trust
        now = clock
        anonymous = anonymousRole.map { role in
            let claims = ClaimsText.withRole(role, in: Array("{}".utf8), claims: JSONObject())
            return Principal(role: role, claims: claims)
        }
    }

    // MARK: - Principals

    /// The principal of a request with this token, or without one.
    package func principal(forBearer token: Substring?) throws(TokenFault) -> Principal {
        guard let token else {
            guard let anonymous else { throw .tokenRequired }
            return anonymous
        }
        var copy = token
        // The result travels as a value: the standard library's closure knows no typed throws.
        let result = copy.withUTF8 { bytes in
            Result { () throws(TokenFault) in try principal(forBearerBytes: UnsafeRawBufferPointer(bytes)) }
        }
        return try result.get()
    }

    /// The principal of a request with the token in these bytes, which are not kept unless they verify.
    package func principal(forBearerBytes token: UnsafeRawBufferPointer) throws(TokenFault) -> Principal {
        let isAPIKey = trust != nil && APIKey.isKey(token)
        guard keys != nil || isAPIKey || trust?.hasKeys == true else { throw .secretMissing }
        guard !token.isEmpty else { throw .empty }
        guard token.count <= maximumTokenBytes else { throw .tooLarge(limit: maximumTokenBytes) }
        let hash = PrincipalCache.hash(token)
        let now = now()
        if let known = cache.principal(for: token, hash: hash, at: now) { return known }
        let known = try isAPIKey ? lookUp(token, at: now) : verify(token, at: now)
        if let session = known.session, trust?.hasEnded(session: session) == true { throw .sessionEnded }
        cache.insert(
            known.principal, for: token, hash: hash, validity: known.validity, session: known.session)
        return known.principal
    }

    /// Calls `listener` when sessions have ended, and tokens with them; for connections that outlive a request.
    ///
    /// - Returns: what stops it.
    package func onSessionsEnd(_ listener: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        guard let trust else { return {} }
        return trust.onEnd { _ in listener() }
    }

    /// What the cache did so far.
    package var cacheStatistics: TokenCacheStatistics { cache.statistics }

    /// `CLOCK_REALTIME`, which is what `exp` means.
    package static let systemClock: Clock = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }

    // MARK: - Non public

    private struct Verified {
        let principal: Principal
        let validity: Validity
        /// `session_id`, for tokens of people who signed in here.
        let session: String?
    }

    private func verify(_ token: UnsafeRawBufferPointer, at now: Int64) throws(TokenFault) -> Verified {
        let compact = try CompactToken(token)
        let isOwn = try checkSignature(compact)
        guard let claims = try? JSONReader.read(compact.payload).object else { throw .claimsUnreadable }
        // The same keys sign ID tokens, and access tokens for the resources of others. Those say no role, and are not to
        // be taken for tokens of somebody anonymous (RFC 8725 §3.11, §3.12).
        if isOwn, rolePath.value(in: claims) == nil { throw .notInAudience }
        let validity = try check.validity(of: claims, at: now)
        let role = try role(in: claims)
        let text = ClaimsText.withRole(role, in: compact.payload, claims: claims)
        return Verified(
            principal: Principal(role: role, claims: text), validity: validity,
            session: trust == nil ? nil : claims["session_id"]?.text?.lowercased())
    }

    /// Seconds for which a key is known without looking at the set again; by this is told roughly when it was last used.
    package static let apiKeyMemory: Int64 = 600

    /// The principal of an API key, under the name of its id: when that ends, so does what is known of the key.
    private func lookUp(_ key: UnsafeRawBufferPointer, at now: Int64) throws(TokenFault) -> Verified {
        guard let known = trust?.apiKeys.use(digest: APIKey.digest(of: key)) else { throw .apiKeyUnknown }
        if let expires = known.expires, expires <= now { throw .apiKeyUnknown }
        guard Self.isRole(known.role) else { throw .roleUnusable }
        var claims: JSONObject = [
            "role": .string(known.role), "key_id": .string(known.id), "key_name": .string(known.name),
        ]
        if let expires = known.expires { claims["exp"] = .int(Int(expires)) }
        // Its end is to the second; what holds for clocks of others (``Validity/skew``) does not for our own.
        let end = min(known.expires ?? .max, now + Self.apiKeyMemory)
        return Verified(
            principal: Principal(role: known.role, claims: JSONValue.object(claims).bytes),
            validity: Validity(expires: end - Validity.skew), session: known.id)
    }

    /// Keys of our own first: they have names, so at most one fits.
    ///
    /// - Returns: whether a key of our own signed it.
    private func checkSignature(_ token: CompactToken) throws(TokenFault) -> Bool {
        switch trust?.verifies(token) {
        case true?: return true
        case false?: throw .signatureInvalid
        case nil: break
        }
        guard let keys else { throw .noSuitableKey }
        try keys.verify(token)
        return false
    }

    /// The role that the claims name; the anonymous one when they name none.
    private func role(in claims: JSONObject) throws(TokenFault) -> String {
        let role: String
        switch rolePath.value(in: claims) {
        case nil:
            guard let anonymous else { throw .tokenRequired }
            return anonymous.role
        case .string(let text): role = text
        case .number(let text): role = text
        case .bool(let value): role = value ? "true" : "false"
        case .null, .array, .object: throw .roleUnusable
        }
        guard Self.isRole(role) else { throw .roleUnusable }
        return role
    }

    /// Whether this may be a role's name. `SET ROLE none` means the connection's own role ("SET ROLE" in PostgreSQL's
    /// reference), which nobody may become by naming it.
    private static func isRole(_ name: String) -> Bool {
        !name.isEmpty && name != "none" && !name.utf8.contains(0)
    }

    /// RFC 7519, 2 "StringOrURI": with a colon in it, it must be a URI.
    private static func isStringOrURI(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let scheme = text[..<colon]
        return scheme.first?.isLetter == true
            && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>\"{}|\\^`".utf8.contains($0) }
    }
}

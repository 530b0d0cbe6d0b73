import ApusAuth
import ApusEdge
import ApusFaults
import ApusPostgres
import ApusTokens
import Crypto
import Logging
import NIOCore

/// Makes authentication out of the configuration.
struct Authentication {
    private let settings: Settings
    let masterKeys: MasterKeys
    private let sharedSigner: TokenSigner?
    private let logger: Logger

    /// nil when it is switched off, or there is nothing to encrypt with.
    ///
    /// - Throws: for settings that do not hold.
    init?(_ settings: Settings, keys: DevelopmentKeys, logger: Logger) throws {
        guard settings.boolean("auth-enabled") else { return nil }
        guard let masterKeys = try settings.masterKeys(keys) else {
            logger.warning(
                "authentication is off: set auth-encryption-key (32 bytes in base64), or auth-enabled=false")
            return nil
        }
        self.settings = settings
        self.masterKeys = masterKeys
        self.logger = logger
        sharedSigner =
            try settings.string("auth-jwt-algorithm") == "HS256" ? settings.sharedSigner(keys) : nil
    }

    func make(
        database: Database, verifier: TokenVerifier, trust: TokenTrust, cors: CORS, messaging: Messaging?
    ) throws -> Authenticating {
        let hasher = PasswordHasher(
            workers: settings.integer("auth-password-workers") ?? System.coreCount,
            waitingLimit: settings.integer("auth-password-queue") ?? 1_000,
            signerKeys: SignerKeys(database: AuthDatabase(database), masterKeys: masterKeys))
        let providers = try settings.providers()
        var auth = try settings.authentication()
        auth.tokenHook = try settings.hook("custom-access-token").map { TokenHook($0) }
        auth.hooks = try settings.hooks()
        auth.hooks.sendsMail = messaging?.hooks.mail != nil
        auth.enabledProviders = Set(providers.map(\.name))
        auth.allowsManualLinking = settings.boolean("auth-security-manual-linking-enabled")
        auth.smsProvider = settings.sendsTexts ? "webhook" : ""
        var parts = AuthParts(
            settings: auth, database: database, masterKeys: masterKeys, trust: trust,
            passwords: hasher,
            sharedSigner: sharedSigner, enqueue: messaging?.enqueue ?? { @Sendable _, _ in },
            providers: ProviderDirectory(providers, client: settings.outboundClient, logger: logger),
            logger: logger)
        parts.announceUser = messaging?.announceUser
        parts.version = BuildInformation.version
        let service = AuthService(parts)
        let endpoint = AuthEndpoint(
            service: service, verifier: verifier, cors: cors, prefix: settings.authPrefix,
            trustedHops: settings.integer("server-trusted-hops") ?? 0, logger: logger)
        let oauth = OAuthEndpoint(
            service: service, cors: cors, prefix: settings.authPrefix,
            trustedHops: settings.integer("server-trusted-hops") ?? 0, logger: logger)
        return Authenticating(service: service, endpoint: endpoint, oauth: oauth)
    }
}

/// Authentication and what answers for it.
struct Authenticating: Sendable {
    let service: AuthService
    let endpoint: AuthEndpoint
    let oauth: OAuthEndpoint

    /// Enters its paths.
    func enter(_ routes: inout Routes) {
        let (endpoint, oauth) = (endpoint, oauth)
        routes.under(endpoint.prefix) { if !oauth.respond($0) { endpoint.respond($0) } }
        // RFC 8414 §3.1 puts the well-known part before the issuer's path.
        for name in ["oauth-authorization-server", "openid-configuration"] where !endpoint.prefix.isEmpty {
            routes.at("/.well-known/\(name)\(endpoint.prefix)") { oauth.respondToDiscovery($0) }
        }
    }
}

extension Settings {
    /// `auth-prefix` without a slash at its end.
    var authPrefix: String {
        var prefix = string("auth-prefix") ?? "/auth/v1"
        while prefix.hasSuffix("/") { prefix.removeLast() }
        return prefix
    }

    /// `auth-encryption-key`, or what stands in for it.
    ///
    /// - Throws: when it is not keys of 32 bytes.
    func masterKeys(_ keys: DevelopmentKeys) throws -> MasterKeys? {
        if let text = try secret("auth-encryption-key") ?? keys.fallbackEncryptionKey {
            let read = text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map { key in
                (key.utf8.count == 64 ? Hexadecimal.decode(key.utf8) : nil)
                    ?? Base64URL.decodeLeniently(key.utf8) ?? []
            }
            guard let masterKeys = MasterKeys(read) else {
                throw Fault(
                    code: "APUS002", kind: .invalid,
                    message: "The setting 'auth-encryption-key' does not hold: a key is not 32 bytes.",
                    hint: "openssl rand -base64 32 makes one.")
            }
            return masterKeys
        }
        guard let secret = try secret("jwt-secret"), !secret.hasPrefix("{") else { return nil }
        return MasterKeys([MasterKeys.derived(from: Array(secret.utf8))])
    }

    /// What signs with `jwt-secret`.
    ///
    /// - Throws: when that is no secret of 32 bytes.
    func sharedSigner(_ keys: DevelopmentKeys) throws -> TokenSigner {
        guard let secret = try secret("jwt-secret") ?? keys.fallbackSecret, secret.utf8.count >= 32,
            !secret.hasPrefix("{")
        else {
            throw Fault(
                code: "APUS002", kind: .invalid,
                message:
                    "The setting 'auth-jwt-algorithm' does not hold: HS256 needs a jwt-secret that is a secret."
            )
        }
        let bytes =
            boolean("jwt-secret-is-base64")
            ? Base64URL.decodeLeniently(secret.utf8) ?? [] : Array(secret.utf8)
        return TokenSigner(.symmetric(SymmetricKey(data: bytes)), id: nil)
    }

    /// - Throws: when a file cannot be read.
    func authentication() throws -> AuthSettings {
        var auth = AuthSettings()
        let scheme = string("server-tls-certificate") == nil ? "http" : "https"
        let own = "\(scheme)://\(string("server-host") ?? "127.0.0.1"):\(integer("server-port") ?? 3000)"
        auth.externalURL = string("auth-external-url") ?? own + authPrefix
        auth.siteURL = string("auth-site-url") ?? auth.siteURL
        auth.allowedRedirects = list("auth-uri-allow-list")
        auth.isSignUpDisabled = boolean("auth-disable-signup")
        auth.autoconfirmsEmail = boolean("auth-mailer-autoconfirm")
        auth.autoconfirmsPhone = boolean("auth-sms-autoconfirm")
        auth.allowsEmail = boolean("auth-external-email-enabled")
        auth.allowsPhone = boolean("auth-external-phone-enabled")
        auth.allowsAnonymous = boolean("auth-external-anonymous-users-enabled")
        auth.adminRoles = Set(list("auth-jwt-admin-roles"))
        auth.allowsOneSession = boolean("auth-sessions-single-per-user")
        auth.confirmsBothAddresses = boolean("auth-mailer-secure-email-change-enabled")
        auth.passwordNeedsReauthentication = boolean("auth-security-update-password-require-reauthentication")
        auth.addressNeedsReauthentication = boolean("auth-security-update-address-require-reauthentication")
        auth.passwordNeedsCurrent = boolean("auth-security-update-password-require-current-password")
        auth.passwords = try passwordPolicy()
        for (name, member) in Self.numbers { auth[keyPath: member] = integer(name) ?? auth[keyPath: member] }
        auth.factors = factors
        auth.oauth = identityProvider(externalURL: auth.externalURL)
        return auth
    }

    private static var numbers: [(String, WritableKeyPath<AuthSettings, Int>)] {
        [
            ("auth-jwt-exp", \.tokenLifetime), ("auth-refresh-token-reuse-interval", \.reuseInterval),
            ("auth-sessions-timebox", \.sessionTimebox),
            ("auth-sessions-inactivity-timeout", \.sessionInactivity),
            ("auth-mailer-otp-exp", \.mailCodeLifetime), ("auth-mailer-link-exp", \.mailLinkLifetime),
            ("auth-mailer-otp-length", \.mailCodeLength), ("auth-sms-otp-exp", \.textCodeLifetime),
            ("auth-sms-otp-length", \.textCodeLength), ("auth-smtp-max-frequency", \.mailInterval),
            ("auth-sms-max-frequency", \.textInterval), ("auth-rate-limit-email-sent", \.mailsPerHour),
            ("auth-rate-limit-sms-sent", \.textsPerHour), ("auth-rate-limit-signup", \.signUpTries),
            ("auth-rate-limit-token", \.tokenTries), ("auth-rate-limit-verify", \.verifyTries),
            ("auth-rate-limit-otp", \.otpTries), ("auth-rate-limit-user", \.userTries),
            ("auth-rate-limit-anonymous-users", \.anonymousTries),
        ]
    }

    private func passwordPolicy() throws -> PasswordPolicy {
        var policy = PasswordPolicy()
        policy.minimum = integer("auth-password-min-length") ?? policy.minimum
        policy.maximum = integer("auth-password-max-length") ?? policy.maximum
        policy.refusesLeaked = boolean("auth-password-leaked-check")
        if let site = string("auth-site-url") { policy.refuseNames(of: site) }
        policy.required = (string("auth-password-required-characters") ?? "").split(separator: ":").map {
            Set($0)
        }
        if let path = string("auth-password-leaked-file") {
            do throws(LeakedPasswords.Unreadable) {
                policy.leaked = try LeakedPasswords(path: path)
            } catch {
                throw Fault(
                    code: "APUS004", kind: .invalid,
                    message: "The file '\(path)' that auth-password-leaked-file names cannot be read.",
                    hint: "apus passwords makes one of a list of SHA-1 digests.")
            }
        }
        return policy
    }
}

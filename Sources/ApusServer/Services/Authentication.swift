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
        sharedSigner = nil
    }

    func make(
        database: Database, verifier: TokenVerifier, trust: TokenTrust, cors: CORS,
        enqueue: @escaping ApusAuth.MessageQueue
    ) -> (service: AuthService, endpoint: AuthEndpoint) {
        var parts = AuthParts(
            settings: settings.authentication, database: database, masterKeys: masterKeys, trust: trust,
            passwords: PasswordHasher(workers: System.coreCount, waitingLimit: 1_000),
            sharedSigner: sharedSigner, enqueue: enqueue, logger: logger)
        parts.version = BuildInformation.version
        let service = AuthService(parts)
        let endpoint = AuthEndpoint(
            service: service, verifier: verifier, cors: cors, prefix: settings.authPrefix,
            trustedHops: settings.integer("server-trusted-hops") ?? 0, logger: logger)
        return (service, endpoint)
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

    var authentication: AuthSettings {
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
        auth.tokenLifetime = integer("auth-jwt-exp") ?? 3600
        auth.passwordMinimum = integer("auth-password-min-length") ?? 8
        auth.adminRoles = Set(list("auth-jwt-admin-roles"))
        auth.factors = factors
        return auth
    }
}

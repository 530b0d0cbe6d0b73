import ApusJSON
package import ApusOutbound
import ApusTokens
package import Logging

/// The providers that there are, and what is known of them: their documents and keys, fetched when they are needed and
/// kept for a while. Every fetch is guarded (``OutboundClient``).
package actor ProviderDirectory {
    /// Discovery documents change rarely.
    private static let documentLifetime = Duration.seconds(3_600)
    /// Keys are asked for again when a token names one that is not there, but not more often than this.
    private static let keyPause = Duration.seconds(30)
    private static let keyLifetime = Duration.seconds(3_600)

    private struct Kept<Value: Sendable>: Sendable {
        let value: Value
        let since: ContinuousClock.Instant
    }

    nonisolated private let providers: [String: Provider]
    nonisolated package let client: OutboundClient
    nonisolated private let logger: Logger
    private var documents: [String: Kept<ProviderDocument>] = [:]
    private var keys: [String: Kept<IssuerKeys>] = [:]
    private var underWay: [String: Task<JSONObject, any Error>] = [:]

    package init(_ settings: [ProviderSettings], client: OutboundClient, logger: Logger) {
        providers = Dictionary(
            settings.compactMap { Provider($0) }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
        self.client = client
        self.logger = logger
    }

    /// Names of what is switched on.
    nonisolated package var names: Set<String> { Set(providers.keys) }

    nonisolated package subscript(name: String) -> Provider? { providers[name] }

    /// The provider of an issuer and client, for clients that name these and no provider.
    nonisolated func provider(issuer: String, client: String) -> Provider? {
        providers.values.first {
            $0.isOpenID && $0.issuer == issuer && $0.settings.clientIDs.contains(client)
        }
    }

    // MARK: - What is known

    func document(of provider: Provider) async throws -> ProviderDocument {
        if provider.kind == .github {
            guard let document = ProviderDocument(github: provider.issuer) else { throw unusable(provider) }
            return document
        }
        if let kept = documents[provider.name], ContinuousClock.now - kept.since < Self.documentLifetime {
            return kept.value
        }
        let issuer = provider.issuer.hasSuffix("/") ? String(provider.issuer.dropLast()) : provider.issuer
        guard let url = OutboundURL(issuer + "/.well-known/openid-configuration") else {
            throw unusable(provider)
        }
        guard let document = ProviderDocument(try await fetch(url), of: provider) else {
            logger.error(
                "a provider's discovery document is not its own, or lacks something",
                metadata: ["provider": "\(provider.name)"])
            throw unusable(provider)
        }
        documents[provider.name] = Kept(value: document, since: .now)
        return document
    }

    /// The claims of an id_token that the provider signed; unchecked but for that.
    ///
    /// - Throws: ``TokenFault`` for a token that it did not sign; a fault when its keys cannot be had.
    func claims(of token: String, from provider: Provider) async throws -> JSONObject {
        if let kept = keys[provider.name], ContinuousClock.now - kept.since < Self.keyLifetime {
            do throws(TokenFault) {
                return try kept.value.claims(of: token)
            } catch {
                let mayBeNew = error == .noSuitableKey && ContinuousClock.now - kept.since > Self.keyPause
                guard mayBeNew else { throw error }
            }
        }
        guard let url = try await document(of: provider).keys,
            let fetched = IssuerKeys(try await fetch(url))
        else { throw unusable(provider) }
        keys[provider.name] = Kept(value: fetched, since: .now)
        return try fetched.claims(of: token)
    }

    /// Writes into the log why a provider could not be asked.
    nonisolated func note(_ failure: OutboundFailure, _ provider: Provider) {
        logger.error(
            "a provider does not answer",
            metadata: ["provider": "\(provider.name)", "reason": "\(failure.reason)"])
    }

    // MARK: - Non public

    /// One request for all that wait for the same document.
    private func fetch(_ url: OutboundURL) async throws -> JSONObject {
        let name = url.description
        if let task = underWay[name] { return try await task.value }
        let client = client
        let task = Task {
            try await Self.json(
                client.send(
                    .init("GET", url, fields: [("Accept", "application/json")]), timeout: .seconds(5)), url)
        }
        underWay[name] = task
        defer { underWay[name] = nil }
        do {
            return try await task.value
        } catch {
            logger.error(
                "a provider does not answer",
                metadata: [
                    "url": "\(url.origin)", "reason": "\((error as? OutboundFailure)?.reason ?? "\(error)")",
                ])
            throw AuthFault.providerAway
        }
    }

    private static func json(_ response: OutboundClient.Response, _ url: OutboundURL) throws -> JSONObject {
        guard response.status == 200, let object = try? JSONReader.read(response.body).object else {
            throw AuthFault.providerAway
        }
        return object
    }

    private func unusable(_ provider: Provider) -> AuthFault { .providerAway }
}

extension AuthFault {
    /// The provider cannot be asked; nothing about it is the client's to know.
    static let providerAway = AuthFault(
        500, "unexpected_failure", "The identity provider cannot be reached or answers what cannot be used")
}

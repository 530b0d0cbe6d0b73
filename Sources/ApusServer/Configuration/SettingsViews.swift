import ApusCatalog
import ApusDataAPI
package import ApusFaults
import ApusHTTP
import ApusPlanner
package import ApusPostgres
import ApusREST
package import ApusTokens
import NIOCore
import NIOSSL

/// What each room needs to know of the configuration, in that room's own type.
extension Settings {
    /// `db-schemas`; at least one, the first is the default.
    package var schemas: [String] {
        let schemas = list("db-schemas")
        return schemas.isEmpty ? ["public"] : schemas
    }

    var planner: PlannerSettings {
        PlannerSettings(
            schemas: schemas, maxRows: integer("db-max-rows"),
            aggregatesEnabled: boolean("db-aggregates-enabled"), planEnabled: boolean("db-plan-enabled"),
            usesLegacyTargetNames: boolean("url-use-legacy-target-names"))
    }

    var catalog: CatalogSettings {
        CatalogSettings(
            schemas: schemas, extraSearchPath: list("db-extra-search-path"),
            hoistedSettings: list("db-hoisted-tx-settings"),
            readsTimezones: boolean("db-timezone-enabled"),
            channel: boolean("db-channel-enabled") ? string("db-channel") : nil)
    }

    var rest: RESTSettings {
        RESTSettings(
            schemas: schemas,
            allowsTransactionOverride: string("db-tx-end")?.hasSuffix("-allow-override") == true,
            describesRoot: string("openapi-mode") != "disabled", rootFunction: string("db-root-spec"))
    }

    /// Search path of a request for the default schema.
    var searchPath: [String] { [schemas[0]] + list("db-extra-search-path").filter { $0 != schemas[0] } }

    /// The pool of a database that is reached by this connection string.
    /// - Parameter sharesMachine: whether the database runs on this machine: then it gets eight connections for each of
    ///   its processors. Reads gather on few of them; commits need some to share their writes to the disk.
    package func database(_ connectionString: String, sharesMachine: Bool = false) -> DatabaseConfiguration {
        var configuration = DatabaseConfiguration(connectionString: connectionString)
        configuration.connections = integer("db-pool") ?? 10
        if sharesMachine, !isGiven("db-pool") {
            configuration.connections = min(20, max(8, 8 * System.coreCount))
        }
        configuration.pipelineDepth = integer("db-pool-pipeline-depth") ?? 32
        configuration.queueLimit = integer("db-pool-queue") ?? 10_000
        configuration.acquisitionTimeout = .seconds(integer("db-pool-acquisition-timeout") ?? 10)
        if let seconds = integer("db-statement-timeout"), seconds > 0 {
            configuration.statementTimeout = .seconds(seconds)
        }
        configuration.preparesStatements = boolean("db-prepared-statements")
        configuration.sessionParameters = [("application_name", "apus")]
        return configuration
    }

    /// - Throws: when a secret is named that cannot be read.
    package func tokens(fallbackSecret: String? = nil) throws -> TokenSettings {
        var settings = TokenSettings()
        settings.secret =
            try secret("jwt-secret").map { Array($0.utf8) } ?? fallbackSecret.map { Array($0.utf8) }
        settings.secretIsBase64 = boolean("jwt-secret-is-base64")
        settings.audience = string("jwt-aud")
        settings.roleClaimKey = string("jwt-role-claim-key") ?? ".role"
        settings.anonymousRole = string("db-anon-role")
        settings.cacheMaxEntries = integer("jwt-cache-max-entries") ?? 1_000
        return settings
    }

    func http() throws -> HTTPServer.Configuration {
        let limits = HTTPLimits(
            bodyBytes: integer("server-max-body") ?? 64 << 20,
            targetBytes: integer("server-max-url") ?? 65_536,
            headerBytes: integer("server-max-header") ?? 65_536,
            readTimeout: .seconds(Int64(integer("server-read-timeout") ?? 60)),
            idleTimeout: .seconds(Int64(integer("server-idle-timeout") ?? 75)),
            connections: integer("server-max-connections") ?? 20_000)
        return HTTPServer.Configuration(
            host: listenAddress, port: integer("server-port") ?? 3000, limits: limits, tls: try tls())
    }

    /// The value of a setting, or the content of the file that it names with an `@`.
    func secret(_ name: String) throws -> String? {
        guard let value = string(name) else { return nil }
        guard value.hasPrefix("@") else { return value }
        let path = String(value.dropFirst())
        guard let text = try? SmallFile.read(path) else {
            throw Fault(
                code: "APUS004", kind: .invalid,
                message: "The file '\(path)' that \(name) names cannot be read.",
                hint: "Check the path and who may read it.")
        }
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    private var listenAddress: String {
        switch string("server-host") ?? "127.0.0.1" {
        case "*", "*4", "!4": "0.0.0.0"
        case "*6", "!6": "::"
        case let host: host
        }
    }

    private func tls() throws -> TLSConfiguration? {
        guard let certificate = string("server-tls-certificate") else { return nil }
        guard let key = string("server-tls-key") else {
            throw Fault(
                code: "APUS004", kind: .invalid,
                message: "server-tls-certificate is set and server-tls-key is not.",
                hint: "Name the PEM file of the private key.")
        }
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
            NIOSSLCertificateSource.certificate($0)
        }
        return .makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
    }
}

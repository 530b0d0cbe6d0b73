import ApusJSON
import ApusPostgres
import ApusSQL
import Crypto

/// A program that people sign in to with their account here.
struct OAuthClient: Sendable {
    /// UUID: `client_id`.
    let id: String
    let name: String
    let uri: String?
    let logo: String?
    let redirectURIs: [String]
    let grantTypes: [String]
    /// `none`, `client_secret_basic` or `client_secret_post`.
    let authentication: String
    /// SHA-256 of the secret, in hex.
    let secretHash: String?
    /// What it may ask for; empty: every scope with a meaning.
    let scopes: [String]
    /// Resources (RFC 8707) that it may have tokens for, beside the provider itself.
    let resources: [String]
    /// One's own program: nobody is asked whether it may.
    let skipsConsent: Bool
    /// What administrators see.
    let json: JSONObject

    var isPublic: Bool { authentication == "none" }

    static let columns: SQL =
        """
        c.id, coalesce(c.client_name, ''), c.client_uri, c.logo_uri, c.redirect_uris, c.grant_types,
        case when c.client_type = 'public' then 'none' else c.token_endpoint_auth_method end, c.client_secret_hash,
        coalesce(c.scope, ''), array_to_string(c.resources, ' '), c.skips_consent, c.registration_type, c.client_type,
        \(AuthUser.time("c.created_at")), \(AuthUser.time("c.updated_at"))
        """

    static func byID(_ id: String) -> SQL {
        "select \(columns) from auth.oauth_clients c where c.id = \(bind: id)::uuid and c.deleted_at is null"
    }

    init?(_ rows: Rows, row: Int = 0) {
        guard row < rows.count, let id = rows.string(row, 0) else { return nil }
        func list(_ column: Int, _ separator: Character) -> [String] {
            (rows.string(row, column) ?? "").split(separator: separator).map { String($0) }
        }
        self.id = id
        name = rows.string(row, 1) ?? ""
        uri = rows.string(row, 2)
        logo = rows.string(row, 3)
        redirectURIs = list(4, ",")
        grantTypes = list(5, ",")
        authentication = rows.string(row, 6) ?? "client_secret_basic"
        secretHash = rows.string(row, 7)
        scopes = list(8, " ")
        resources = list(9, " ")
        skipsConsent = rows.bool(row, 10) ?? false
        var json: JSONObject = [
            "client_id": .string(id), "client_name": .string(name),
            "client_type": .string(rows.string(row, 12) ?? ""),
            "token_endpoint_auth_method": .string(authentication),
            "registration_type": .string(rows.string(row, 11) ?? "manual"),
            "redirect_uris": .strings(redirectURIs), "grant_types": .strings(grantTypes),
            "response_types": .strings(["code"]), "resources": .strings(resources),
            "skip_consent": .bool(skipsConsent), "created_at": .string(rows.string(row, 13) ?? ""),
            "updated_at": .string(rows.string(row, 14) ?? ""),
        ]
        if let uri { json["client_uri"] = .string(uri) }
        if let logo { json["logo_uri"] = .string(logo) }
        if !scopes.isEmpty { json["scope"] = .string(scopes.joined(separator: " ")) }
        self.json = json
    }

    /// Whether this is the client's secret.
    func has(secret: String) -> Bool {
        guard let secretHash else { return false }
        return ConstantTime.equal(Self.hash(secret: secret).utf8, secretHash.utf8)
    }

    /// Secrets are 256 random bits, so a fast digest keeps them.
    static func hash(secret: String) -> String { Hexadecimal.encode(SHA256.hash(data: Array(secret.utf8))) }
}

extension AuthService {
    /// The client that an id names; nil for none, and for what is no id.
    func oauthClient(_ id: String?) async throws -> OAuthClient? {
        guard let id = id.flatMap({ UUIDText.read($0) }) else { return nil }
        return OAuthClient(try await database.query(OAuthClient.byID(id)))
    }

    /// The client of a request to a back-channel endpoint, who proved it by the one method that it registered
    /// (RFC 6749 §2.3).
    ///
    /// - Throws: `invalid_client`, 401.
    func authenticatedClient(_ call: OAuthCall) async throws -> OAuthClient {
        try call.parameters.checkUnique()
        let given = try Credentials(call)
        let client = try await oauthClient(given.id)
        guard let client, client.authentication == given.method,
            client.isPublic || client.has(secret: given.secret ?? "")
        else {
            // Only what fails is counted: a client's server makes many requests from one address.
            try await takeTry("oauth client", 300, of: call.call)
            throw OAuthFault.invalidClient
        }
        return client
    }

    /// What a client shows of itself.
    private struct Credentials {
        var id: String
        var secret: String?
        var method: String

        init(_ call: OAuthCall) throws(OAuthFault) {
            if let field = call.authorization {
                guard field.lowercased().hasPrefix("basic "), call.parameters["client_secret"] == nil,
                    let bytes = Base64Text.decode(field.dropFirst(6)),
                    let text = String(validating: bytes, as: UTF8.self), let colon = text.firstIndex(of: ":"),
                    // RFC 6749 §2.3.1: both parts are form-encoded first.
                    let id = PercentDecoding.form(text[..<colon]),
                    let secret = PercentDecoding.form(text[text.index(after: colon)...])
                else { throw .invalidClient }
                if let other = call.parameters["client_id"], other != id { throw .invalidClient }
                (self.id, self.secret, method) = (id, secret, "client_secret_basic")
                return
            }
            guard let id = call.parameters["client_id"] else { throw .invalidClient }
            self.id = id
            secret = call.parameters["client_secret"]
            method = secret == nil ? "none" : "client_secret_post"
        }
    }
}

/// Percent-decoding (RFC 3986 §2.1).
enum PercentDecoding {
    /// As in forms: a plus is a space. nil for a broken escape and for what is no UTF-8.
    static func form(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next(), let low = rest.next(),
                    let decoded = Hexadecimal.decode([high, low])?.first
                else { return nil }
                bytes.append(decoded)
            case UInt8(ascii: "+"): bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

package import ApusPostgres
package import ApusSQL
import ApusTokens
package import Crypto

/// A token to be used once: a link's 256 random bits, and a code of a few digits for whoever types it.
///
/// Of the link's part the database holds a digest, of the code a digest with a key that is not in the database: six
/// digits are soon tried out by whoever has the table. Both are one row, so using one spends the other.
package struct OneTimeToken: Sendable {
    package let purpose: OneTimePurpose
    /// What a link carries as `token`, and a client sends as `token_hash`.
    package let link: String
    /// What a person types.
    package let code: String
    private let salt: [UInt8]
    private let isPKCE: Bool

    /// Tries that a code survives.
    package static let attempts = 5
    private static let pkceMark = "pkce_"

    /// - Parameter isPKCE: whether the link gives a code for an exchange and no session.
    package init(_ purpose: OneTimePurpose, digits: Int, isPKCE: Bool) {
        self.purpose = purpose
        self.isPKCE = isPKCE
        link = (isPKCE ? Self.pkceMark : "") + Base64URL.encode(RandomBytes.make(32))
        var random = SystemRandomNumberGenerator()
        code = String((0..<digits).map { _ in Character("\(Int.random(in: 0...9, using: &random))") })
        salt = RandomBytes.make(16)
    }

    /// Keeps it for a user, in place of the one of its kind that there was.
    ///
    /// - Parameters:
    ///   - recipient: the address or number it is sent to.
    ///   - flow: id of the row of `auth.flow_state` whose challenge the exchange must meet.
    package func storing(
        user: String, recipient: String, flow: String?, lifetime: (code: Int, link: Int), secret: SymmetricKey
    ) -> SQL {
        """
        insert into auth.one_time_tokens (user_id, token_type, token_hash, relates_to, purpose, code_salt, code_hash,
            code_expires_at, expires_at, flow_state_id)
        values (\(bind: user), \(bind: purpose.slot), \(bind: Self.digest(link)), \(bind: recipient),
            \(bind: purpose.rawValue), \(bind: .binary(salt, oid: TypeOID.bytea)),
            \(bind: .binary(Self.hash(code, salt, secret), oid: TypeOID.bytea)),
            now() + make_interval(secs => \(bind: lifetime.code)), now() + make_interval(secs => \(bind: lifetime.link)),
            \(bind: SQLValue(flow)))
        on conflict (user_id, token_type) do update
        set (id, token_hash, relates_to, created_at, updated_at, purpose, code_salt, code_hash, attempts,
                code_expires_at, expires_at, flow_state_id)
            = row (excluded.id, excluded.token_hash, excluded.relates_to, now(), now(), excluded.purpose,
                excluded.code_salt, excluded.code_hash, 0, excluded.code_expires_at, excluded.expires_at,
                excluded.flow_state_id)
        """
    }

    // MARK: - Using

    /// What was used.
    package struct Used: Sendable {
        package let user: String
        package let purpose: OneTimePurpose
        package let recipient: String
        package let flow: String?
    }

    private static let usedColumns: SQL = "user_id, purpose, relates_to, flow_state_id"

    /// Uses a link, once: a row, of ``read(_:)``, for whoever comes first and none for everybody else.
    package static func spending(link: String, _ purposes: [OneTimePurpose]) -> SQL {
        """
        delete from auth.one_time_tokens
        where token_hash = \(bind: digest(link)) and purpose = any (\(bind: list(purposes))::text[])
            and expires_at > now()
        returning \(usedColumns)
        """
    }

    /// Uses a code, once. Every call is a try, and a token has ``attempts`` of them; trying is one statement, and so is
    /// taking the token away, so of many at once one wins and the others have used up tries.
    package static func spend(
        code: String, recipient: String, _ purposes: [OneTimePurpose], user: String? = nil,
        secret: SymmetricKey,
        in database: AuthDatabase
    ) async throws -> Used? {
        let tried = try await database.query(
            """
            update auth.one_time_tokens set attempts = attempts + 1, updated_at = now()
            where relates_to = \(bind: recipient) and purpose = any (\(bind: list(purposes))::text[])
                and (\(bind: SQLValue(user))::uuid is null or user_id = \(bind: SQLValue(user))::uuid)
                and code_expires_at > now() and attempts < \(bind: attempts)
            returning id, encode(code_salt, 'hex'), encode(code_hash, 'hex')
            """)
        for row in 0..<tried.count {
            guard let id = tried.string(row, 0),
                let salt = tried.string(row, 1).flatMap({ Hexadecimal.decode($0.utf8) }),
                let expected = tried.string(row, 2).flatMap({ Hexadecimal.decode($0.utf8) }),
                ConstantTime.equal(hash(code, salt, secret), expected)
            else { continue }
            let spent = try await database.query(
                """
                delete from auth.one_time_tokens
                where id = \(bind: id) and token_hash is not null returning \(usedColumns)
                """)
            return read(spent)
        }
        return nil
    }

    /// What a statement of this type returned.
    package static func read(_ rows: Rows) -> Used? {
        guard let user = rows.string(0, 0), let purpose = rows.string(0, 1).flatMap(OneTimePurpose.init)
        else { return nil }
        return Used(
            user: user, purpose: purpose, recipient: rows.string(0, 2) ?? "", flow: rows.string(0, 3))
    }

    /// Takes away what waits for a user.
    package static func forgetting(user: String, _ purposes: [OneTimePurpose]? = nil) -> SQL {
        guard let purposes else {
            return "delete from auth.one_time_tokens where user_id = \(bind: user)"
        }
        return """
            delete from auth.one_time_tokens
            where user_id = \(bind: user) and purpose = any (\(bind: list(purposes))::text[])
            """
    }

    // MARK: - Non public

    private static func digest(_ link: String) -> String {
        Hexadecimal.encode(SHA256.hash(data: Array(link.utf8)))
    }

    private static func hash(_ code: String, _ salt: [UInt8], _ secret: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: salt + Array(code.utf8), using: secret))
    }

    private static func list(_ purposes: [OneTimePurpose]) -> String {
        "{" + purposes.map(\.rawValue).joined(separator: ",") + "}"
    }
}

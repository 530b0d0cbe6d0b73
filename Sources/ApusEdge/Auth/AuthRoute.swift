import ApusAuth
import NIOHTTP1

/// One line of the table of authentication: a method, a path, who may call, what answers.
///
/// Who may call is a type: a handler for signed-in people takes a `Caller`, which nobody but the service can make.
struct AuthRoute: Sendable {
    /// What answers, by who may call.
    enum Handler: Sendable {
        /// Anybody.
        case open(@Sendable (AuthService, AuthCall) async throws -> AuthAnswer)
        /// Anybody; whoever is signed in is known.
        case optional(@Sendable (AuthService, AuthCall, Caller?) async throws -> AuthAnswer)
        /// Who is signed in.
        case user(@Sendable (AuthService, AuthCall, Caller) async throws -> AuthAnswer)
        /// Who holds a service key.
        case admin(@Sendable (AuthService, AuthCall, Administrator) async throws -> AuthAnswer)
    }

    let method: HTTPMethod
    /// Segments below the prefix; one that begins with `:` is a name for whatever stands there.
    let path: [String]
    let handler: Handler

    init(_ method: HTTPMethod, _ path: String, _ handler: Handler) {
        self.method = method
        self.path = path.split(separator: "/").map(String.init)
        self.handler = handler
    }

    /// What stands where the path has names; nil when the path is another one.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == path.count else { return nil }
        var names: [String: String] = [:]
        for (wanted, segment) in zip(path, segments) {
            if wanted.hasPrefix(":") {
                names[String(wanted.dropFirst())] = segment
            } else if wanted != segment {
                return nil
            }
        }
        return names
    }
}

extension AuthRoute {
    /// Every route, by what it is about.
    static let all: [AuthRoute] =
        about + signIn + users + providers + administration + factors + passkeys + oauth

    private static let about: [AuthRoute] = [
        .init(.GET, "/health", .open { try await $0.health($1) }),
        .init(.GET, "/settings", .open { try await $0.publicSettings($1) }),
        .init(.GET, "/.well-known/jwks.json", .open { try await $0.keySet($1) }),
    ]

    private static let signIn: [AuthRoute] = [
        .init(.POST, "/signup", .open { try await $0.signUp($1) }),
        .init(.POST, "/token", .optional { try await $0.token($1, $2) }),
        .init(.POST, "/otp", .open { try await $0.requestCode($1) }),
        .init(.POST, "/magiclink", .open { try await $0.requestCode($1) }),
        .init(.POST, "/recover", .open { try await $0.recover($1) }),
        .init(.POST, "/resend", .open { try await $0.resend($1) }),
        .init(.POST, "/verify", .open { try await $0.verify($1) }),
        .init(.GET, "/verify", .open { try await $0.verifyPage($1) }),
    ]

    private static let users: [AuthRoute] = [
        .init(.GET, "/user", .user { try await $0.user($1, $2) }),
        .init(.PUT, "/user", .user { try await $0.updateUser($1, $2) }),
        .init(.GET, "/reauthenticate", .user { try await $0.reauthenticate($1, $2) }),
        .init(.POST, "/reauthenticate", .user { try await $0.reauthenticate($1, $2) }),
        .init(.POST, "/logout", .user { try await $0.signOut($1, $2) }),
        .init(.GET, "/user/sessions", .user { try await $0.ownSessions($1, $2) }),
        .init(.DELETE, "/user/sessions/:id", .user { try await $0.endOwnSession($1, $2) }),
    ]

    private static let providers: [AuthRoute] = [
        .init(.GET, "/authorize", .open { try await $0.authorize($1) }),
        .init(.GET, "/callback", .open { try await $0.callback($1) }),
        .init(.POST, "/callback", .open { try await $0.callback($1) }),
        .init(.POST, "/callback/link", .open { try await $0.confirmLinking($1) }),
        .init(.GET, "/user/identities/authorize", .user { try await $0.authorizeLinking($1, $2) }),
        .init(.DELETE, "/user/identities/:id", .user { try await $0.unlink($1, $2) }),
    ]

    private static let administration: [AuthRoute] = [
        .init(.POST, "/invite", .admin { try await $0.invite($1, $2) }),
        .init(.POST, "/admin/generate_link", .admin { try await $0.generateLink($1, $2) }),
        .init(.GET, "/admin/users", .admin { try await $0.listUsers($1, $2) }),
        .init(.POST, "/admin/users", .admin { try await $0.createUser($1, $2) }),
        .init(.GET, "/admin/users/:id", .admin { try await $0.showUser($1, $2) }),
        .init(.PUT, "/admin/users/:id", .admin { try await $0.changeUser($1, $2) }),
        .init(.DELETE, "/admin/users/:id", .admin { try await $0.deleteUser($1, $2) }),
        .init(.GET, "/admin/audit", .admin { try await $0.auditLog($1, $2) }),
    ]
}

import ApusAuth
import NIOHTTP1

extension AuthRoute {
    /// The identity provider, as far as it speaks JSON; see ``OAuthEndpoint`` for the rest.
    static let oauth: [AuthRoute] = [
        .init(.GET, "/.well-known/openid-configuration", .open { try await $0.discovery($1) }),
        .init(.GET, "/.well-known/oauth-authorization-server", .open { try await $0.discovery($1) }),
        .init(.POST, "/oauth/clients/register", .open { try await $0.registerClient($1) }),
        .init(.GET, "/oauth/authorizations/:authorization_id", .user { try await $0.authorization($1, $2) }),
        .init(
            .POST, "/oauth/authorizations/:authorization_id/consent",
            .user { try await $0.decideAuthorization($1, $2) }),
        .init(.GET, "/user/oauth/grants", .user { try await $0.oauthGrants($1, $2) }),
        .init(.DELETE, "/user/oauth/grants", .user { try await $0.revokeOAuthGrant($1, $2) }),
        .init(.GET, "/admin/oauth/clients", .admin { try await $0.oauthClients($1, $2) }),
        .init(.POST, "/admin/oauth/clients", .admin { try await $0.registerClient($1, $2) }),
        .init(.GET, "/admin/oauth/clients/:client_id", .admin { try await $0.oauthClient($1, $2) }),
        .init(.PUT, "/admin/oauth/clients/:client_id", .admin { try await $0.updateClient($1, $2) }),
        .init(.DELETE, "/admin/oauth/clients/:client_id", .admin { try await $0.removeClient($1, $2) }),
        .init(
            .POST, "/admin/oauth/clients/:client_id/regenerate_secret",
            .admin { try await $0.renewClientSecret($1, $2) }),
    ]
}

package import NIOSSL

/// Where mail is handed over, and how.
package struct SMTPSettings: Sendable {
    /// When the connection is encrypted.
    package enum Security: String, Sendable, CaseIterable {
        /// From the first byte (RFC 8314 §3.3), usually on port 465.
        case implicit
        /// After STARTTLS (RFC 3207); a server that does not offer it gets no mail.
        case starttls
        /// Never: for a server on the same machine.
        case none
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var user: String?
    package var password: String?
    /// Whom the server's certificate is checked against; nil: the system's authorities.
    package var trustRoots: NIOSSLTrustRoots?
    /// Connections that are open at once, a process.
    package var connections: Int
    /// What the client calls itself in EHLO.
    package var clientName: String
    /// For each command and its reply.
    package var timeout: Duration

    package init(
        host: String, port: Int, security: Security, user: String? = nil, password: String? = nil,
        trustRoots: NIOSSLTrustRoots? = nil, connections: Int = 4, clientName: String = "localhost",
        timeout: Duration = .seconds(30)
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.trustRoots = trustRoots
        self.connections = connections
        self.clientName = clientName
        self.timeout = timeout
    }
}

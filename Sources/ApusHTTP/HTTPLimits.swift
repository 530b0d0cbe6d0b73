package import NIOCore

/// What a client may make this server hold or wait for.
package struct HTTPLimits: Sendable {
    /// `server-max-body`: bytes of a request body; over it the answer is 413.
    package var bodyBytes: Int
    /// `server-max-url`: bytes of path and query together; over it the answer is 414.
    package var targetBytes: Int
    /// `server-max-header`: bytes of all header fields; over it the answer is 431.
    package var headerBytes: Int
    /// `server-read-timeout`: from the first byte of a request to its last; over it the answer is 408.
    package var readTimeout: TimeAmount
    /// `server-idle-timeout`: how long a connection may be open without a request.
    package var idleTimeout: TimeAmount
    /// Connections at once; further ones are closed as soon as they are accepted.
    package var connections: Int
    /// Pipelined requests that wait on one connection before it is no longer read from.
    package var pipelinedRequests: Int

    package init(
        bodyBytes: Int = 64 * 1024 * 1024, targetBytes: Int = 64 * 1024, headerBytes: Int = 64 * 1024,
        readTimeout: TimeAmount = .seconds(60), idleTimeout: TimeAmount = .seconds(75),
        connections: Int = 20_000, pipelinedRequests: Int = 16
    ) {
        self.bodyBytes = bodyBytes
        self.targetBytes = targetBytes
        self.headerBytes = headerBytes
        self.readTimeout = readTimeout
        self.idleTimeout = idleTimeout
        self.connections = connections
        self.pipelinedRequests = pipelinedRequests
    }
}

package import NIOCore
package import NIOHTTP1

/// A request that has arrived completely. An object, because every stage of its way looks at it.
package final class HTTPRequest: Sendable {
    /// As it came; over HTTP/2 it may be any word.
    package let method: HTTPMethod
    /// The target as it came: path and query, still percent-encoded.
    package let target: String
    /// All fields, in the order in which they came.
    package let headers: HTTPHeaders
    /// The body, if there was one, within `server-max-body`.
    package let body: ByteBuffer?
    /// Address of the peer, without port.
    package let peer: String
    /// Given by the client as `X-Request-Id` where it is well formed, else made here.
    package let id: RequestID

    package init(
        method: HTTPMethod, target: String, headers: HTTPHeaders, body: ByteBuffer? = nil,
        peer: String = "", id: RequestID = .next()
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.id = id
    }

    /// The target up to the question mark.
    package var path: Substring {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target[...] }
        return target[..<mark]
    }

    /// The target after the question mark; empty when there is none.
    package var query: Substring {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return "" }
        return target[target.utf8.index(after: mark)...]
    }
}

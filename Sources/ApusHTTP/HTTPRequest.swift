package import NIOCore
package import NIOHTTP1

/// A request that has arrived completely. An object, because every stage of its way looks at it.
package final class HTTPRequest: Sendable {
    /// As it came; over HTTP/2 it may be any word.
    package let method: HTTPMethod
    /// The target as it came: path and query, still percent-encoded.
    package let target: String
    package let fields: HTTPFields
    /// The body, if there was one, within `server-max-body`.
    package let body: ByteBuffer?
    /// Address of the peer, without port.
    package let peer: String
    /// Given by the client as `X-Request-Id` where it is well formed, else made here.
    package let id: RequestID
    /// Bytes before the question mark; nil when there is none.
    private let pathLength: Int?

    package init(
        method: HTTPMethod, target: String, fields: HTTPFields, body: ByteBuffer? = nil, peer: String = ""
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.peer = peer
        id = fields.requestID ?? .next()
        pathLength = target.utf8.firstIndex(of: UInt8(ascii: "?"))
            .map { target.utf8.distance(from: target.startIndex, to: $0) }
    }

    package convenience init(
        method: HTTPMethod, target: String, headers: HTTPHeaders, body: ByteBuffer? = nil, peer: String = ""
    ) {
        self.init(method: method, target: target, fields: HTTPFields(headers), body: body, peer: peer)
    }

    /// All fields, in the order in which they came.
    package var headers: HTTPHeaders { fields.headers }

    /// The target up to the question mark.
    package var path: Substring {
        guard let pathLength else { return target[...] }
        return target[..<target.utf8.index(target.startIndex, offsetBy: pathLength)]
    }

    /// The target after the question mark; empty when there is none.
    package var query: Substring {
        guard let pathLength else { return "" }
        return target[target.utf8.index(target.startIndex, offsetBy: pathLength + 1)...]
    }
}

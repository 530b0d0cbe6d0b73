/// Why a request of ours got no answer.
package struct OutboundFailure: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// It was not sent: the URL or its address is not one that we ask.
        case refused
        /// Nobody is there, or it broke off.
        case unreachable
        case timeout
        /// The answer is larger than it may be, or is no HTTP.
        case badAnswer
    }

    package var kind: Kind
    /// For logs; names the host and no secret.
    package var reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

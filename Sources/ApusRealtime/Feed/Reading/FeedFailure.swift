import ApusPostgres

/// Why what the server streamed could not be made into transactions.
enum FeedFailure: Error, Sendable {
    case malformed(type: UInt8)
    /// A change of a relation that was not described before.
    case unknownRelation(UInt32)
    /// A temporary file could not be made, written or read.
    case spill(call: String, errno: Int32)

    var message: String {
        switch self {
        case .malformed(let type): "The server sent a message (type \(type)) that is not of the protocol."
        case .unknownRelation(let oid): "The server sent a change of relation \(oid) without describing it."
        case .spill(let call, let errno):
            "A large transaction could not be kept in a temporary file: \(call) failed with error \(errno)."
        }
    }
}

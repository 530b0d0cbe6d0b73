/// A value of Redis's protocol, version 2 (redis.io, "Redis serialization protocol specification").
enum RESPValue: Sendable, Equatable {
    case simple(String)
    case error(String)
    case integer(Int)
    /// nil where there is none.
    case bulk([UInt8]?)
    case array([RESPValue]?)

    /// The text of a simple or bulk string.
    var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let bytes): bytes.map { String(decoding: $0, as: UTF8.self) }
        default: nil
        }
    }

    var bytes: [UInt8]? { if case .bulk(let bytes) = self { bytes } else { nil } }
    var items: [RESPValue]? { if case .array(let items) = self { items } else { nil } }
}

/// Why Redis could not be used.
struct RedisFailure: Error, Sendable {
    var message: String

    static let lost = RedisFailure(message: "The connection to Redis was lost.")
    static let late = RedisFailure(message: "Redis did not answer in time.")
    static let malformed = RedisFailure(message: "Redis sent what is not of its protocol.")
}

import ApusFaults
import ApusJSON

/// What a follower of a read is told.
enum LiveEvent: Sendable {
    /// The whole result, a JSON array.
    case snapshot(id: String, rows: [UInt8])
    /// What makes the new result of the one before (``RowDifference``).
    case changes(id: String, changes: [UInt8])
    /// Nothing was missed since the event that the follower named.
    case resumed(id: String)
    /// The stream is over.
    case end(LiveEnd)
    /// The connection is alive.
    case pulse
}

/// Why a stream is over.
struct LiveEnd: Sendable {
    var code: String
    var message: String

    static let schemaChanged = LiveEnd(
        code: "APUS524", message: "The schema or the settings have changed: subscribe again.")
    static let stopping = LiveEnd(code: "APUS503", message: "The server is stopping: connect again.")

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    init(_ fault: Fault) { self.init(code: fault.code, message: fault.message) }

    /// `{"code":…,"message":…}`
    var json: [UInt8] {
        JSONValue.object(["code": .string(code), "message": .string(message)]).bytes
    }
}

import ApusHTTP
import ApusRealtime

/// One topic that one connection has joined, or is about to.
///
/// Sendable: touched on its connection's event loop only; the constants are read elsewhere.
final class RealtimeChannel: @unchecked Sendable {
    let key: TopicKey
    /// A cycle until the channel ends, which the connection's end brings about. Not `unowned`: that costs every
    /// delivery two more counts of references.
    let connection: RealtimeConnection
    let joinRef: String?
    let request: JoinRequest
    /// Unique in this process; names the member in presence.
    let member: UInt64
    var caller: RealtimeCaller
    /// How many tokens have replaced the first.
    var renewals = 0
    var access = TopicAccess.all
    /// Whether messages are delivered.
    var isJoined = false
    /// Whether it is to be told of presence; also after its own first `track`.
    var hearsPresence: Bool
    /// Under which it is present; made up for clients that name none.
    lazy var presenceKey = request.presenceKey ?? PresenceBoard.randomKey()
    /// Place in ``TopicMembers``.
    var place = 0
    /// Place in ``RouteReaders``.
    var routePlace = 0
    /// The entries of `postgres_changes`, as they stand.
    var seats: [ChangeSeat] = []
    /// What came while the join was under way.
    var waiting: [ClientMessage] = []

    init(
        _ key: TopicKey, _ connection: RealtimeConnection, joinRef: String?, request: JoinRequest,
        caller: RealtimeCaller, member: UInt64
    ) {
        self.key = key
        self.connection = connection
        self.joinRef = joinRef
        self.request = request
        self.caller = caller
        self.member = member
        hearsPresence = request.tracksPresence
    }

    var seesPresence: Bool { hearsPresence && access.seesPresence }

    /// What the server says on this channel on its own.
    func frame(_ event: String, ref: String? = nil, _ payload: [UInt8]) -> WebSocketMessage {
        .text(
            ServerFrames.text(
                connection.version, topic: key.wireName, event: event, ref: ref, joinRef: joinRef,
                payload: payload))
    }
}

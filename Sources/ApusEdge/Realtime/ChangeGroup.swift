import ApusPostgres
import ApusRealtime

/// What makes two subscriptions equal: the same rows, for somebody who may see the same.
struct ChangeGroupKey: Hashable {
    var schema: String
    var table: String?
    var event: ChangeEvent
    var filter: String?
    var role: String
    var claims: [UInt8]

    init(_ entry: JoinRequest.Changes, _ principal: Principal) {
        schema = entry.schema
        table = entry.table
        event = entry.event
        filter = entry.filter
        role = principal.role
        claims = principal.claims
    }
}

/// Everybody who has an equal subscription. A change is compared with it once, however many they are.
///
/// Sendable: what changes is touched under the lock of ``ChangeDelivery`` only.
final class ChangeGroup: @unchecked Sendable {
    let key: ChangeGroupKey
    /// What ``RowSubscriptions`` calls it; nil until it stands.
    var subscription: UInt64?
    /// Under way until it stands.
    var adding: Task<Result<UInt64, ChannelFault>, Never>?
    /// Channels that are in it, or about to be.
    var members = 1
    /// Channels with this entry alone, by what they are sent.
    var routes: [ChangeRoute.Key: (route: ChangeRoute, audience: [(shard: RealtimeShard, count: Int)])] = [:]
    /// Channels with further entries: which of them match a change is told in one message, a channel's own.
    var mixed: [MixedKey: (channel: RealtimeChannel, form: ChangeMessage.Form)] = [:]

    struct MixedKey: Hashable {
        var channel: ObjectIdentifier
        var binding: Int
    }

    init(_ key: ChangeGroupKey) { self.key = key }
}

/// What channels of one group get when they want it in the same form: the same bytes. The shards know the channels.
final class ChangeRoute: Sendable {
    struct Key: Hashable {
        var form: ChangeMessage.Form.Key
        var binding: Int
    }

    let form: ChangeMessage.Form
    /// The number of the entry.
    let binding: Int

    init(_ form: ChangeMessage.Form, binding: Int) {
        self.form = form
        self.binding = binding
    }

    var key: Key { Key(form: form.key, binding: binding) }
}

/// One entry of a channel, which has its subscription.
struct ChangeSeat: Sendable {
    let group: ChangeGroup
    let form: ChangeMessage.Form
    let binding: Int
    /// Set while the channel gets messages by a route.
    var route: ChangeRoute?
}

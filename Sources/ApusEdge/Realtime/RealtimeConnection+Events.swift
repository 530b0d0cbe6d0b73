import ApusJSON
import ApusRealtime

/// `broadcast` and `presence`.
extension RealtimeConnection {
    func broadcast(_ message: ClientMessage, on channel: RealtimeChannel) {
        guard let broadcast = Self.broadcast(of: message) else { return }
        guard broadcast.payload.count <= hub.settings.payloadBytes else {
            return refuse(message, ChannelFault(.payloadTooLarge, "The payload is too large"))
        }
        // Who may not send is not told so by others' silence alone.
        guard channel.access.sendsBroadcasts else {
            if channel.request.acknowledgesBroadcasts {
                refuse(
                    message,
                    ChannelFault(.unauthorized, "You do not have permissions to write to this Channel"))
            }
            return
        }
        shard.broadcast(
            broadcast, to: channel.key, except: channel.request.echoesBroadcasts ? nil : channel)
        hub.spread(broadcast, to: channel.key, from: shard)
        if channel.request.acknowledgesBroadcasts { reply(to: message, isOK: true) }
    }

    private static func broadcast(of message: ClientMessage) -> Broadcast? {
        switch message.content {
        case .broadcast(let event, let payload): return Broadcast(event: event, payload: payload, form: .user)
        case .json(let value, let raw):
            guard let object = value.object else { return nil }
            let payload: ArraySlice<UInt8>
            if let member = object.member("payload") {
                payload = raw[member.range]
            } else {
                payload = raw
            }
            return Broadcast(
                event: object["event"]?.text ?? "", payload: .json(payload), form: .text)
        }
    }

    func presence(_ message: ClientMessage, on channel: RealtimeChannel) {
        let object = message.object
        let event = object["event"]?.text?.lowercased()
        guard event == "track" || event == "untrack" else { return }
        guard channel.access.tracksPresence else {
            return refuse(
                message,
                ChannelFault(.unauthorized, "You do not have permissions to track presence on this Channel"))
        }
        guard admitsPresence() else {
            return end(channel, ChannelFault(.presenceRate, "Too many presence calls"))
        }
        if event == "untrack" {
            hub.presence.untrack(channel)
            return reply(to: message, isOK: true)
        }
        var payload = object["payload"]?.object ?? JSONObject()
        payload["phx_ref"] = nil
        let bytes = JSONValue.object(payload).bytes
        guard bytes.count <= hub.settings.payloadBytes else {
            return refuse(message, ChannelFault(.payloadTooLarge, "The payload is too large"))
        }
        if !channel.hearsPresence {
            channel.hearsPresence = true
            if channel.seesPresence { hub.presence.tellState(channel) }
        }
        hub.presence.track(channel, payload: bytes)
        reply(to: message, isOK: true)
    }
}

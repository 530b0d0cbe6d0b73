import ApusHTTP
import ApusJSON
import ApusRealtime
import NIOCore
import NIOHTTP1

/// Broadcasts over HTTP, for senders that hold no connection.
extension RealtimeEndpoint {
    private struct Outgoing: Sendable {
        var key: TopicKey
        var broadcast: Broadcast
    }

    /// Most messages of one request.
    private static let messagesLimit = 1_000

    /// `POST …/api/broadcast {"messages":[{topic, event, payload, private}]}`
    func broadcast(_ exchange: HTTPExchange) {
        guard let caller = caller(of: exchange) else { return }
        let bytes = exchange.request.body.map { Array($0.readableBytesView) } ?? []
        guard let messages = (try? JSONReader.read(bytes))?.object?["messages"]?.array,
            messages.count <= Self.messagesLimit
        else {
            return answer(exchange, 422, ["error": .string("messages must be a list of up to 1000 messages")])
        }
        var outgoing: [Outgoing] = []
        for message in messages {
            guard let object = message.object, let topic = object["topic"]?.text, !topic.isEmpty,
                let event = object["event"]?.text, let payload = object.member("payload")
            else {
                return answer(
                    exchange, 422, ["error": .string("a message has a topic, an event and a payload")])
            }
            outgoing.append(
                Outgoing(
                    key: TopicKey(name: topic, isPrivate: object["private"] == .bool(true)),
                    broadcast: Broadcast(event: event, payload: .json(bytes[payload.range]), form: .user)))
        }
        send(outgoing, caller, exchange, refusesOne: false)
    }

    /// `POST …/api/broadcast/TOPIC/events/EVENT?private=true`, the payload as the body: JSON, or bytes.
    func broadcast(_ exchange: HTTPExchange, topic: String, event: String) {
        guard let caller = caller(of: exchange) else { return }
        guard !topic.isEmpty, !event.isEmpty else {
            return answer(exchange, 422, ["error": .string("topic and event must be UTF-8 and not empty")])
        }
        let isPrivate = QueryText.parameters(exchange.request.query)["private"] == "true"
        let bytes = exchange.request.body.map { Array($0.readableBytesView) } ?? []
        let type = exchange.request.headers.first(name: "content-type")?.lowercased() ?? ""
        let payload: BroadcastPayload
        if type.hasPrefix("application/octet-stream") {
            payload = .binary(bytes[...])
        } else if (try? JSONReader.read(bytes)) != nil {
            payload = .json(bytes[...])
        } else {
            return answer(exchange, 422, ["error": .string("the body must be JSON")])
        }
        let key = TopicKey(name: topic, isPrivate: isPrivate)
        send(
            [Outgoing(key: key, broadcast: Broadcast(event: event, payload: payload, form: .user))], caller,
            exchange, refusesOne: true)
    }

    // MARK: - Non public

    private func caller(of exchange: HTTPExchange) -> RealtimeCaller? {
        let request = exchange.request
        let bearer = Credentials.bearer(in: request.headers).map(String.init)
        guard let token = bearer ?? token(of: request, QueryText.parameters(request.query)) else {
            answer(exchange, 401, ["error": .string("Missing API key")])
            return nil
        }
        do throws(ChannelFault) {
            return try RealtimeCaller(token: token, verifier: hub.verifier)
        } catch {
            answer(exchange, 401, ["error": .string(error.reason)])
            return nil
        }
    }

    /// - Parameter refusesOne: whether a message that may not be sent is the answer; among many, it is left out.
    private func send(
        _ outgoing: [Outgoing], _ caller: RealtimeCaller, _ exchange: HTTPExchange, refusesOne: Bool
    ) {
        guard outgoing.allSatisfy({ $0.broadcast.payload.count <= hub.settings.payloadBytes }) else {
            return answer(exchange, 413, ["error": .string("Payload too large")])
        }
        guard !hub.settings.privateOnly || outgoing.allSatisfy(\.key.isPrivate) else {
            return answer(exchange, 403, ["error": .string("This server has private channels only")])
        }
        guard outgoing.contains(where: \.key.isPrivate) else {
            for item in outgoing { hub.spread(item.broadcast, to: item.key, from: nil) }
            return answer(exchange, 202, nil)
        }
        Task {
            do throws(ChannelFault) {
                var known: [TopicKey: Bool] = [:]
                for item in outgoing where item.key.isPrivate && known[item.key] == nil {
                    known[item.key] = try await hub.topicAccess(item.key, caller).sendsBroadcasts
                }
                let allowed = outgoing.filter { known[$0.key] ?? true }
                if refusesOne, allowed.isEmpty {
                    let fault = ChannelFault(
                        .unauthorized, "You do not have permissions to write to this Channel")
                    return answer(exchange, 403, ["error": .string(fault.reason)])
                }
                for item in allowed { hub.spread(item.broadcast, to: item.key, from: nil) }
                answer(exchange, 202, nil)
            } catch {
                answer(exchange, 503, ["error": .string(error.reason)])
            }
        }
    }
}

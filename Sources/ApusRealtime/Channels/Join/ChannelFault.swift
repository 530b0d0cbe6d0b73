/// Why a channel cannot be joined or goes on no longer: a code that clients look at, and a sentence.
///
/// The codes are those of Supabase Realtime, because its clients choose by them how long to wait.
package struct ChannelFault: Error, Sendable, Equatable {
    package enum Code: String, Sendable {
        case topicNameRequired = "TopicNameRequired"
        case invalidJoin = "InvalidJoinPayload"
        case invalidToken = "InvalidJWTToken"
        case malformedToken = "MalformedJWT"
        case signature = "JwtSignatureError"
        case unauthorized = "Unauthorized"
        case privateOnly = "PrivateOnly"
        case channelRate = "ChannelRateLimitReached"
        case connectionRate = "ConnectionRateLimitReached"
        case joinRate = "ClientJoinRateLimitReached"
        case messageRate = "MessagePerSecondRateLimitReached"
        case presenceRate = "ClientPresenceRateLimitReached"
        case payloadTooLarge = "PayloadTooLarge"
        case unableToReplay = "UnableToReplayMessages"
        case unableToSubscribe = "RealtimeDisabledForConfiguration"
        case database = "DatabaseLackOfConnections"
        case unmatchedTopic = "unmatched topic"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// As it stands in a reply.
    package var reason: String { code == .unmatchedTopic ? code.rawValue : "\(code.rawValue): \(message)" }
}

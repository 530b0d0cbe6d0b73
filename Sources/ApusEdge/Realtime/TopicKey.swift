/// Names a topic. Public and private topics of one name are two topics.
struct TopicKey: Hashable, Sendable {
    /// Without `realtime:`.
    let name: String
    let isPrivate: Bool

    /// As it stands in messages.
    var wireName: String { "realtime:" + name }
}

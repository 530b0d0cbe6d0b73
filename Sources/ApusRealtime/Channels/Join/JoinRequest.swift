package import ApusJSON

/// What a client wants of a channel: the payload of `phx_join`.
package struct JoinRequest: Sendable {
    /// Older broadcasts that the client wants to hear first.
    package struct Replay: Sendable, Equatable {
        /// Milliseconds since 1970.
        package var since: Int64
        /// At the most 25.
        package var limit: Int
    }

    /// One entry of `postgres_changes`.
    package struct Changes: Sendable {
        package var event: ChangeEvent
        package var schema: String
        /// nil for all tables of the schema.
        package var table: String?
        /// nil for no filter.
        package var filter: String?
        /// The columns that are wanted; nil for all.
        package var select: [String]?
        /// What the client sent, to be echoed.
        package var echo: JSONObject
    }

    package var acknowledgesBroadcasts = false
    /// Whether the sender of a broadcast gets it too.
    package var echoesBroadcasts = false
    package var replay: Replay?
    package var presenceKey: String?
    package var tracksPresence = false
    package var isPrivate = false
    package var changes: [Changes] = []
    package var accessToken: String?

    /// Most entries of `postgres_changes` that one channel may have.
    package static let changesLimit = 100
    private static let longestPresenceKey = 1_024

    /// Missing parts mean what the clients' defaults mean: nothing is on.
    package init(_ payload: JSONObject) throws(ChannelFault) {
        let config = payload["config"]?.object ?? JSONObject()
        let broadcast = config["broadcast"]?.object ?? JSONObject()
        acknowledgesBroadcasts = broadcast["ack"] == .bool(true)
        echoesBroadcasts = broadcast["self"] == .bool(true)
        if let replay = broadcast["replay"]?.object { self.replay = try Self.replay(replay) }
        let presence = config["presence"]?.object ?? JSONObject()
        presenceKey = presence["key"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        guard (presenceKey?.utf8.count ?? 0) <= Self.longestPresenceKey else {
            throw ChannelFault(.invalidJoin, "the presence key is too long")
        }
        // Clients from before the switch send only a key, and expect presence to work.
        tracksPresence = presence["enabled"].map { $0 == .bool(true) } ?? (presenceKey != nil)
        isPrivate = config["private"] == .bool(true)
        accessToken = payload["access_token"]?.text ?? payload["user_token"]?.text
        if let list = config["postgres_changes"]?.array {
            guard list.count <= Self.changesLimit else {
                throw ChannelFault(.invalidJoin, "more than \(Self.changesLimit) entries in postgres_changes")
            }
            for entry in list { changes.append(try Self.changes(entry)) }
        }
        if replay != nil, !isPrivate {
            throw ChannelFault(.unableToReplay, "Replay is only for private channels")
        }
    }

    private static func replay(_ object: JSONObject) throws(ChannelFault) -> Replay {
        guard case .number(let text)? = object["since"], let since = Int64(text), since >= 0 else {
            throw ChannelFault(.unableToReplay, "Replay needs since, in milliseconds since 1970")
        }
        var limit = 25
        if case .number(let text)? = object["limit"] {
            guard let asked = Int(text), (1...25).contains(asked) else {
                throw ChannelFault(.unableToReplay, "Replay takes a limit of 1 to 25")
            }
            limit = asked
        }
        return Replay(since: since, limit: limit)
    }

    private static func changes(_ value: JSONValue) throws(ChannelFault) -> Changes {
        guard let object = value.object else {
            throw ChannelFault(.invalidJoin, "an entry of postgres_changes must be an object")
        }
        let word = object["event"]?.text ?? "*"
        guard let event = ChangeEvent(rawValue: word.uppercased()) else {
            throw ChannelFault(.invalidJoin, "'\(word)' is no event of postgres_changes")
        }
        func wanted(_ name: String) -> String? {
            object[name]?.text.flatMap { $0.isEmpty || $0 == "*" ? nil : $0 }
        }
        var select: [String]?
        if let columns = object["select"]?.array { select = columns.compactMap { $0.text } }
        if let columns = object["select"]?.text, columns != "*" {
            select = columns.split(separator: ",").map { $0.filter { $0 != " " } }
        }
        return Changes(
            event: event, schema: object["schema"]?.text ?? "public", table: wanted("table"),
            filter: object["filter"]?.text.flatMap { $0.isEmpty ? nil : $0 }, select: select, echo: object)
    }
}

/// Which changes of rows are wanted.
package enum ChangeEvent: String, Sendable, Hashable {
    case all = "*"
    case insert = "INSERT"
    case update = "UPDATE"
    case delete = "DELETE"

    package func covers(_ kind: RowChange.Kind) -> Bool {
        switch (self, kind) {
        case (_, .truncate): false
        case (.all, _), (.insert, .insert), (.update, .update), (.delete, .delete): true
        default: false
        }
    }
}

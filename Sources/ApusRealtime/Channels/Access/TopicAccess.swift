import ApusJSON
package import ApusPostgres
import ApusSQL

/// What a caller may do on a private topic, as the policies on `realtime.messages` say: who may select a message of a
/// kind (`extension`) may hear it, who may insert one may send it.
package struct TopicAccess: Sendable, Equatable {
    package var hearsBroadcasts: Bool
    package var sendsBroadcasts: Bool
    package var seesPresence: Bool
    package var tracksPresence: Bool

    package static let none = TopicAccess(
        hearsBroadcasts: false, sendsBroadcasts: false, seesPresence: false, tracksPresence: false)
    /// What everybody may on a public topic.
    package static let all = TopicAccess(
        hearsBroadcasts: true, sendsBroadcasts: true, seesPresence: true, tracksPresence: true)

    /// Whether joining makes sense at all.
    package var mayJoin: Bool { hearsBroadcasts || seesPresence }
}

/// Asks PostgreSQL about private topics. Nothing is written: the policies are asked about the messages that would be.
package struct TopicAuthorizer: Sendable {
    let database: Database
    private let searchPath: String
    static let timeout = Duration.seconds(5)

    /// - Parameter searchPath: as requests have it, for functions that policies call.
    package init(database: Database, searchPath: [String]) {
        self.database = database
        self.searchPath = searchPath.map { SQL.ident($0).text }.joined(separator: ", ")
    }

    /// A policy that raises lets nobody through.
    ///
    /// - Parameter topic: without `realtime:`, as `realtime.topic()` gives it.
    /// - Throws: when the database cannot be asked.
    package func access(to topic: String, for principal: Principal) async throws(PostgresFault) -> TopicAccess
    {
        guard let policies = try await TopicPolicies.read(of: principal.role, from: database) else {
            return .none
        }
        if policies.read == nil, policies.write == nil { return .all }
        let images = JSONValue.array(["broadcast", "presence"].map { Self.image(topic, $0) }).bytes
        let conditions = [policies.read ?? "true", policies.write ?? "true"]
        let trip = RoundTrip(
            steps: [opening(principal, topic)]
                + conditions.map { .init(Statement(Self.query(images, $0))) },
            role: principal.role, isReadOnly: true)
        let places: [Set<Int>]
        do {
            places = try await database.execute(trip, timeout: Self.timeout).map { rows in
                Set((0..<rows.count).compactMap { rows.int($0, 0) })
            }
        } catch {
            guard error.kind == .server else { throw error }
            return .none
        }
        guard places.count == 2 else { return .none }
        return TopicAccess(
            hearsBroadcasts: places[0].contains(1), sendsBroadcasts: places[1].contains(1),
            seesPresence: places[0].contains(2), tracksPresence: places[1].contains(2))
    }

    // MARK: - Non public

    func opening(_ principal: Principal, _ topic: String) -> RoundTrip.Step {
        var binds = Binds()
        binds.append(text: searchPath.utf8)
        binds.append(text: topic.utf8)
        binds.append(text: principal.claims)
        binds.append(text: principal.role.utf8)
        return .init(Statement(text: Self.openingText, binds: binds), keepsRows: false)
    }

    private static let openingText = StatementText(
        """
        select set_config('search_path', $1, true), set_config('realtime.topic', $2, true),
            set_config('request.jwt.claims', $3, true), set_config('role', $4, true),
            set_config('transaction_read_only', 'on', true)
        """)

    /// The places of the images that a condition lets through; it calls the row `messages`.
    private static func query(_ images: [UInt8], _ condition: SQL) -> SQL {
        """
        select apus_images.apus_place
        from json_array_elements(\(bind: .binary(images, oid: TypeOID.json)))
            with ordinality as apus_images (apus_image, apus_place),
            lateral json_populate_record(null::realtime.messages, apus_images.apus_image) as messages
        where \(condition)
        """
    }

    private static func image(_ topic: String, _ kind: String) -> JSONValue {
        .object(["topic": .string(topic), "extension": .string(kind), "private": .bool(true)])
    }
}

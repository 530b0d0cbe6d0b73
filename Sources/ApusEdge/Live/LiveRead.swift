import ApusDataAPI
import ApusHTTP
import ApusPlanner
import ApusPostgres
import ApusREST
import ApusRealtime

/// One read, with what of its request concerns caching, waiting and following. An object, because every stage of its way looks
/// at it.
final class LiveRead: Sendable {
    let compiled: CompiledRequest
    let request: DataRequest
    let profile: ReadProfile
    /// Equal for equal requests of callers to whom the answer is the same.
    let key: [UInt8]
    /// Of the key and of the definitions that the answer depends on.
    let keyHash: UInt64
    let dependence: ResponseCache.Dependence
    /// The read began after this; nil while the feed does not run.
    let reading: RelationClock.Reading?
    /// Tags of the answers that the client has; those among them that only say what the answer was (they were given while
    /// the feed did not run) are good for a comparison of contents.
    let tags: [EntityTag]
    /// Whether answers may come from memory: the feed has caught up with what this caller wrote.
    let mayUseFeed: Bool
    /// Of the key's beginning: the request's shape.
    private let shapeLength: Int

    /// nil when the read is not yet understood, or its answer depends on more than the feed shows.
    init?(
        _ compiled: CompiledRequest, _ request: DataRequest, shapeKey: [UInt8], fields: RequestFields?,
        _ live: LiveReads
    ) {
        guard !live.settings.hasPreRequest, let profile = ReadProfile.of(compiled, live.reaches) else {
            return nil
        }
        shapeLength = shapeKey.count
        self.compiled = compiled
        self.request = request
        self.profile = profile
        var key = shapeKey
        key.append(0)
        for range in request.values.ranges {
            withUnsafeBytes(of: UInt32(range.count)) { key.append(contentsOf: $0) }
        }
        key += request.values.arena
        key.append(0)
        key += live.callerPart(request.principal, profile.claims)
        self.key = key
        var content = ContentHash()
        content.add(key)
        withUnsafeBytes(of: profile.definitions) { content.add($0) }
        let hash = content.finish()
        keyHash = hash
        dependence = .init(relations: profile.relations, key: Self.place(profile, request))
        reading = profile.isExact && live.clock.covers(profile.relations) ? live.clock.reading() : nil
        let said = fields?.tags ?? []
        tags = said.isEmpty ? said : said.filter { $0.key == hash || $0.key == 0 }
        mayUseFeed =
            reading != nil && live.hasSeenWrites(of: request.principal, said: fields?.position)
    }

    /// Whether nothing that it reads has changed since the client got its answer.
    func unchangedTag(_ live: LiveReads) -> EntityTag? {
        guard mayUseFeed else { return nil }
        return tags.first {
            $0.key == keyHash && live.clock.isUnchanged(profile.relations, since: $0.reading)
        }
    }

    /// Whether a value may mean a moment that moves (`now`, `today`): PostgreSQL reads such words wherever it expects a
    /// point in time ("Special Values").
    var mentionsMoments: Bool {
        let values = request.values
        return key.withUnsafeBytes { Moments.occur(in: UnsafeRawBufferPointer(rebasing: $0[..<shapeLength])) }
            || values.arena.withUnsafeBytes { arena in
                values.ranges.contains { Moments.occur(in: UnsafeRawBufferPointer(rebasing: arena[$0])) }
            }
    }

    // MARK: - Non public

    private static func place(
        _ profile: ReadProfile, _ request: DataRequest
    ) -> (relation: UInt32, column: String, value: Scalar)? {
        guard let key = profile.key, let kind = ScalarKind(typeOID: key.type) else { return nil }
        let text: ArraySlice<UInt8> =
            switch key.operand {
            case .slot(let index, let dropping): request.values.value(at: index, dropping: dropping)
            case .literal(let literal): Array(literal.utf8)[...]
            }
        return Scalar(text, kind: kind).map { (key.relation, key.column, $0) }
    }
}

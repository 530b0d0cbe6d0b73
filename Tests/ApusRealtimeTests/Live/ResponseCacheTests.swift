import ApusPostgres
import Testing

@testable import ApusRealtime

/// Which kept answers a change makes void.
@Suite struct ResponseCacheTests {
    private static func change(_ id: Int, _ identity: FeedRelation.ReplicaIdentity) -> RowChange {
        let relation = FeedRelation(
            oid: 1, schema: "public", name: "t",
            columns: [
                .init(name: "id", typeOID: 23, typeName: "int4", isKey: identity == .default),
                .init(name: "code", typeOID: 25, typeName: "text", isKey: identity == .index),
            ], replicaIdentity: identity)
        return RowChange(
            kind: .update, relation: relation,
            new: [.text(Array("\(id)".utf8)[...]), .text(Array("x".utf8)[...])])
    }

    private final class Row: Sendable {
        let id: Int

        init(id: Int) { self.id = id }
    }

    private static func cache() -> ResponseCache {
        let cache = ResponseCache(limit: 1 << 20)
        for id in 1...3 {
            cache.insert(
                Row(id: id), bytes: 10, for: [UInt8(id)],
                .init(relations: [1], key: (1, "id", .integer(Int64(id))))
            ) { true }
        }
        return cache
    }

    @Test func anUpdateMakesTheAnswersOfItsRowVoid() {
        let cache = Self.cache()
        cache.drop(by: [Self.change(2, .default)])
        #expect((cache.find([1]) as? Row)?.id == 1)
        #expect(cache.find([2]) == nil)
    }

    @Test func whereTheOldPrimaryKeyDoesNotTravelAnyAnswerMayBeVoid() {
        let cache = Self.cache()
        cache.drop(by: [Self.change(2, .index)])
        for id in 1...3 { #expect(cache.find([UInt8(id)]) == nil) }
    }
}

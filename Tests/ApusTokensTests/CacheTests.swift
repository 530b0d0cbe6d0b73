import ApusPostgres
import Testing

@testable import ApusTokens

@Suite struct CacheTests {
    private func entry(_ cache: PrincipalCache, _ token: String, hash: Int, validity: Validity = Validity()) {
        var token = token
        token.withUTF8 {
            cache.insert(
                Principal(role: String(decoding: $0, as: UTF8.self), claims: []),
                for: UnsafeRawBufferPointer($0),
                hash: hash, validity: validity)
        }
    }

    private func find(_ cache: PrincipalCache, _ token: String, hash: Int, at now: Int64 = 0) -> String? {
        var token = token
        return token.withUTF8 { cache.principal(for: UnsafeRawBufferPointer($0), hash: hash, at: now)?.role }
    }

    @Test("the second time it is the same principal, and no key is asked")
    func hit() throws {
        let verifier = try Forge.verifier()
        let token = Forge.hmac(#"{"role":"a"}"#)
        let first = try verifier.principal(forBearer: token)
        #expect(try verifier.principal(forBearer: token) === first)
        #expect(
            verifier.cacheStatistics == TokenCacheStatistics(entries: 1, hits: 1, misses: 1, evictions: 0))
    }

    @Test("a remembered token ends when it expires, and its entry with it")
    func neverOutlivesExpiry() throws {
        let clock = StoppedClock()
        let verifier = try TokenVerifier(settings: Forge.settings(), clock: clock.read)
        let token = Forge.hmac(#"{"role":"a","exp":\#(Forge.now + 60)}"#)
        _ = try verifier.principal(forBearer: token)
        clock.set(Forge.now + 90)
        #expect(try verifier.principal(forBearer: token).role == "a")
        clock.set(Forge.now + 91)
        #expect(throws: TokenFault.expired) { try verifier.principal(forBearer: token) }
        #expect(verifier.cacheStatistics.entries == 0)
    }

    @Test("a clock that goes back makes a remembered token too early again")
    func notBeforeIsCheckedEachTime() throws {
        let clock = StoppedClock()
        let verifier = try TokenVerifier(settings: Forge.settings(), clock: clock.read)
        let token = Forge.hmac(#"{"role":"a","nbf":\#(Forge.now)}"#)
        _ = try verifier.principal(forBearer: token)
        clock.set(Forge.now - 31)
        #expect(throws: TokenFault.notYetValid) { try verifier.principal(forBearer: token) }
    }

    @Test("refused tokens are not remembered")
    func refusalsAreNotCached() throws {
        let verifier = try Forge.verifier()
        let forged = Forge.hmac(#"{"role":"a"}"#, secret: "anotheranotheranotheranotherone!")
        for _ in 0..<2 {
            #expect(throws: TokenFault.signatureInvalid) { try verifier.principal(forBearer: forged) }
        }
        #expect(verifier.cacheStatistics.entries == 0)
    }

    @Test("two tokens with one hash never stand for each other")
    func collisions() {
        let cache = PrincipalCache(capacity: 8)
        entry(cache, "victim-token", hash: 7)
        #expect(find(cache, "attack-token", hash: 7) == nil)
        #expect(find(cache, "victim-toke", hash: 7) == nil)
        #expect(find(cache, "victim-token!", hash: 7) == nil)
        #expect(find(cache, "victim-token", hash: 7) == "victim-token")
        entry(cache, "attack-token", hash: 7)
        #expect(find(cache, "victim-token", hash: 7) == nil)
        #expect(find(cache, "attack-token", hash: 7) == "attack-token")
        #expect(cache.statistics.entries == 1)
    }

    @Test("bounded, and what is in use stays")
    func bounded() {
        let cache = PrincipalCache(capacity: 4)
        for number in 0..<100 {
            entry(cache, "token-\(number)", hash: number)
            #expect(find(cache, "token-0", hash: 0) == "token-0")
        }
        #expect(cache.statistics.entries == 4)
        #expect(cache.statistics.evictions == 96)
    }

    @Test("slots of expired entries are used again")
    func expiredSlots() {
        let cache = PrincipalCache(capacity: 2)
        for number in 0..<10 {
            entry(cache, "token", hash: number, validity: Validity(expires: 0))
            #expect(find(cache, "token", hash: number, at: 31) == nil)
        }
        #expect(cache.statistics.entries == 0 && cache.statistics.evictions == 0)
    }

    @Test("no entries: nothing is remembered, everything is verified")
    func disabled() throws {
        let verifier = try Forge.verifier(Forge.settings(cacheMaxEntries: 0))
        let token = Forge.hmac(#"{"role":"a"}"#)
        for _ in 0..<3 { #expect(try verifier.principal(forBearer: token).role == "a") }
        #expect(verifier.cacheStatistics.hits == 0)
    }

    @Test("many threads, few slots: everybody gets their own principal")
    func concurrent() async throws {
        let verifier = try Forge.verifier(Forge.settings(cacheMaxEntries: 8))
        let tokens = (0..<32).map { Forge.hmac(#"{"role":"role\#($0)"}"#) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    try (0..<2000).allSatisfy { round in
                        let number = (round * 7 + task) % tokens.count
                        return try verifier.principal(forBearer: tokens[number]).role == "role\(number)"
                    }
                }
            }
            for try await allRight in group { #expect(allRight) }
        }
        #expect(verifier.cacheStatistics.entries <= 8)
    }
}

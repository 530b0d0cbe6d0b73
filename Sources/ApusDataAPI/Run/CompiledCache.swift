import Synchronization

/// Keeps what was compiled, by the key of its shape and for one catalog.
///
/// Two generations: what is used moves to the young one, and when that is full the old one is dropped. So a flood
/// of shapes that are never seen again costs memory within the bound and pushes out what is not in use.
final class CompiledCache: Sendable {
    private struct State {
        var catalogVersion: UInt64 = 0
        var young: [[UInt8]: CompiledRequest] = [:]
        var old: [[UInt8]: CompiledRequest] = [:]
        var hits = 0
        var misses = 0
    }

    private let state = Mutex(State())
    private let generationSize: Int

    /// - Parameter limit: most entries that are kept.
    init(limit: Int) { generationSize = max(1, limit / 2) }

    /// Lookups that found something, and that did not.
    var statistics: (hits: Int, misses: Int) { state.withLock { ($0.hits, $0.misses) } }

    func find(_ key: [UInt8], catalogVersion: UInt64) -> CompiledRequest? {
        state.withLock { state in
            guard state.catalogVersion == catalogVersion else {
                state.misses += 1
                return nil
            }
            if let found = state.young[key] {
                state.hits += 1
                return found
            }
            guard let found = state.old.removeValue(forKey: key) else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            insert(found, key, into: &state)
            return found
        }
    }

    /// What was compiled for an older catalog than the cache has seen is not kept.
    func insert(_ compiled: CompiledRequest, for key: [UInt8], catalogVersion: UInt64) {
        state.withLock { state in
            guard catalogVersion >= state.catalogVersion else { return }
            if catalogVersion > state.catalogVersion {
                state.catalogVersion = catalogVersion
                state.young = [:]
                state.old = [:]
            }
            insert(compiled, key, into: &state)
        }
    }

    private func insert(_ compiled: CompiledRequest, _ key: [UInt8], into state: inout State) {
        if state.young.count >= generationSize {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = compiled
    }
}

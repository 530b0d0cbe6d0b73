import Synchronization

/// The keys of apps and backends that hold now, and which of them were used.
package final class APIKeySet: Sendable {
    private struct State {
        var keys: [[UInt8]: APIKey] = [:]
        var used: Set<String> = []
    }

    private let state = Mutex(State())

    /// Takes over the keys that hold from now on.
    ///
    /// - Returns: ids of those that held until now and no longer do.
    func replace(_ keys: [APIKey]) -> [String] {
        let next = Dictionary(keys.map { ($0.digest, $0) }) { first, _ in first }
        let remaining = Set(keys.map(\.id))
        return state.withLock { state in
            defer { state.keys = next }
            return state.keys.values.map(\.id).filter { !remaining.contains($0) }
        }
    }

    /// The key with this digest, which is noted as used.
    func use(digest: [UInt8]) -> APIKey? {
        state.withLock { state in
            guard let key = state.keys[digest] else { return nil }
            state.used.insert(key.id)
            return key
        }
    }

    /// Ids of keys that were used since this was asked last.
    package func takeUsed() -> Set<String> {
        state.withLock { state in
            defer { state.used = [] }
            return state.used
        }
    }
}

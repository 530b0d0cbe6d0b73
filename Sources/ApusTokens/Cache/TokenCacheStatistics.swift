/// What the cache of verified tokens did since the start: for metrics.
package struct TokenCacheStatistics: Sendable, Equatable {
    package var entries = 0
    package var hits = 0
    package var misses = 0
    package var evictions = 0
}

/// What live reads have done, for `/metrics`.
package struct LiveStatistics: Sendable {
    /// Of the cache of answers.
    package var hits: Int
    package var misses: Int
    package var dropped: Int
    package var bytes: Int
    package var entries: Int
    /// Reads that are followed now.
    package var streams: Int
    /// How often the database was asked for reads that are followed.
    package var reads: Int
}

package import ApusSQL
import Synchronization

/// Gives equal texts the same ``StatementText``, so that plans that differ in values only (an offset) share
/// one prepared statement on every connection.
package final class StatementTexts: Sendable {
    private let texts = Mutex<[String: StatementText]>([:])
    private let limit: Int

    /// Keeps up to `limit` texts; then it starts over, which costs every connection a new preparation.
    package init(limit: Int = 20_000) {
        self.limit = limit
    }

    package func text(_ sql: String) -> StatementText {
        texts.withLock { texts in
            if let known = texts[sql] { return known }
            if texts.count >= limit { texts.removeAll(keepingCapacity: true) }
            let text = StatementText(sql)
            texts[sql] = text
            return text
        }
    }
}

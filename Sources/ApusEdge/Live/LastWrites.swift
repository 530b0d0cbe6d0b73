import ApusPostgres
import ApusRealtime
import Synchronization

/// Where the log was after the last write of each caller, on this node, until the feed has passed it.
final class LastWrites: Sendable {
    private struct Write {
        var position = LSN.zero
        /// Writes whose position is not known: the database did not say.
        var unknown = 0
    }

    /// What is known of a caller's writes.
    enum Standing: Equatable {
        case none
        case before(LSN)
        /// `lost` is for ``find(_:for:lost:)``.
        case unknown(lost: Int)
    }

    private static let mostCallers = 10_000

    private let writes = Mutex<[UInt64: Write]>([:])

    func standing(of principal: Principal) -> Standing {
        writes.withLock { writes in
            guard !writes.isEmpty, let write = writes[Self.hash(principal)] else { return .none }
            return write.unknown > 0 ? .unknown(lost: write.unknown) : .before(write.position)
        }
    }

    /// - Parameters:
    ///   - position: nil when the database did not say it.
    ///   - processed: how far the feed is.
    func note(_ position: LSN?, for principal: Principal, processed: LSN) {
        writes.withLock { writes in
            if writes.count >= Self.mostCallers {
                writes = writes.filter { $0.value.unknown > 0 || $0.value.position > processed }
            }
            var write = writes[Self.hash(principal)] ?? Write()
            if let position { write.position = max(write.position, position) } else { write.unknown += 1 }
            writes[Self.hash(principal)] = write
        }
    }

    /// A position was found that lies behind all writes whose own was lost when ``standing(of:)`` was asked.
    func find(_ position: LSN, for principal: Principal, lost: Int) {
        writes.withLock { writes in
            guard var write = writes[Self.hash(principal)], write.unknown == lost else { return }
            write.unknown = 0
            write.position = max(write.position, position)
            writes[Self.hash(principal)] = write
        }
    }

    private static func hash(_ principal: Principal) -> UInt64 {
        var hash = ContentHash()
        hash.add(Array(principal.role.utf8))
        hash.add(principal.claims)
        return hash.finish()
    }
}

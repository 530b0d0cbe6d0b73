import ApusFaults
import ApusRealtime

/// What a read that is followed asks, and what is known of how its answer depends on tables.
struct LiveQuestion: Sendable {
    typealias Reply = @Sendable (Result<[UInt8], Fault>) -> Void
    typealias MakeView = @Sendable () async throws(Fault) -> LiveView?

    /// Names it on this node.
    let id: UInt64
    /// Equal for reads with the same answer.
    let key: [UInt8]
    /// Whether another one with this key asks the same.
    let isShared: Bool
    /// Every table that it reads; nil when its answer depends on more than tables. Then, and while the feed does not bring
    /// one of them, any change of any table counts.
    let relations: [UInt32]?
    /// Names of the members that tell rows apart; nil when rows have none.
    let rowKey: [String]?
    /// The table that the rows come from, with its key's columns; nil for a view.
    let source: (relation: UInt32, key: [String])?
    /// Whether the rows that it shows say which of the table's are in view: with an offset, rows before it count as well.
    let showsView: Bool
    /// Finds which rows of its source it may show; nil when that alone does not decide about its answer. Throws when it
    /// cannot be found out now.
    let view: MakeView?
    /// Asks the database; the answer's body.
    let ask: @Sendable (@escaping Reply) -> Void

    /// Columns of the source's key, if a result says which rows are in view.
    var viewKey: [String]? { showsView && rowKey != nil ? source?.key : nil }
}

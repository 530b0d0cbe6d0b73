/// SQL's three truth values, and a fourth: a value that decides is not at hand (a column that did not travel with the
/// change).
package enum Truth: Sendable, Hashable {
    case `true`, `false`, null, unknown

    init(_ value: Bool) { self = value ? .true : .false }

    static prefix func ! (value: Truth) -> Truth {
        switch value {
        case .true: .false
        case .false: .true
        case .null: .null
        case .unknown: .unknown
        }
    }

    /// SQL's AND; unknown unless one side is false.
    static func & (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        if left == .false { return .false }
        let right = right()
        if right == .false { return .false }
        if left == .unknown || right == .unknown { return .unknown }
        return left == .null || right == .null ? .null : .true
    }

    /// SQL's OR; unknown unless one side is true.
    static func | (left: Truth, right: @autoclosure () -> Truth) -> Truth {
        if left == .true { return .true }
        let right = right()
        if right == .true { return .true }
        if left == .unknown || right == .unknown { return .unknown }
        return left == .null || right == .null ? .null : .false
    }
}

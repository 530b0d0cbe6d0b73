import ApusCatalog
import ApusFaults
import ApusPlanner
import ApusPostgres
import ApusSQL

/// How many rows a statement may touch before its whole transaction fails.
///
/// The check is an expression of the statement itself, so that a wrong number undoes the write in the same
/// round trip: when it does not hold, a text that names the check and the number is cast to an integer, which
/// PostgreSQL refuses (22P02) by quoting it.
package enum RowGuard: Sendable, Hashable {
    /// `Accept: application/vnd.pgrst.object+json`
    case exactlyOne
    /// `PUT`: body and URL must name the same key.
    case sameKey
    /// `Prefer: max-affected=n, handling=strict`
    case atMost(Int)

    /// The checks that this plan's transaction depends on.
    static func all(for plan: Plan) -> [RowGuard] {
        var guards: [RowGuard] = []
        let intent = plan.intent
        switch intent.action {
        case .read: return []
        case .upsertOne: guards.append(.sameKey)
        case .insert, .update, .delete, .call:
            if case .singleObject = plan.handler.mediaType { guards.append(.exactlyOne) }
        }
        if intent.preferences.handling == .strict, let most = intent.preferences.maxAffected {
            switch intent.action {
            case .update, .delete, .call: guards.append(.atMost(most))
            case .read, .insert, .upsertOne: break
            }
        }
        return guards
    }

    /// An expression that is null when the number of rows is as it must be, and fails otherwise.
    ///
    /// - Parameter count: an expression of the number of rows.
    func expression(count: SQL) -> SQL {
        switch self {
        case .exactlyOne: check("\(count) <> 1", "single", count)
        case .sameKey: check("\(count) <> 1", "key", count)
        case .atMost(let most): check("\(count) > \(SQL(trusted: String(most)))", "most", count)
        }
    }

    private func check(_ violation: SQL, _ name: String, _ count: SQL) -> SQL {
        "case when \(violation) then (\(literal: Self.mark + name + "=") || (\(count))::text)::int end"
    }

    private static let mark = "apus-row-guard:"

    /// The fault that a violated check means; nil for any other refusal.
    static func fault(of refusal: PostgresFault) -> Fault? {
        guard refusal.sqlState == "22P02", let start = refusal.message.firstRange(of: mark) else {
            return nil
        }
        let text = refusal.message[start.upperBound...].prefix { $0 != "\"" }
        guard let equals = text.firstIndex(of: "="), let rows = Int(text[text.index(after: equals)...]) else {
            return nil
        }
        switch text[..<equals] {
        case "single": return RowCountFault.singular(rows: rows)
        case "key": return RowCountFault.keyMismatch
        case "most": return RowCountFault.maxAffected(rows: rows)
        default: return nil
        }
    }
}

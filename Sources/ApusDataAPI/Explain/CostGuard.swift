import ApusCatalog
import ApusFaults
import ApusPostgres
import ApusSQL
import Synchronization

/// Knows what may be spent, and remembers what equal requests cost a moment ago.
final class CostGuard: Sendable {
    /// A request that is the same in everything that PostgreSQL's estimate depends on, but for its statistics.
    struct Key: Hashable {
        var catalogVersion: UInt64
        var statement: UInt64
        var role: String
        var claims: [UInt8]
        var values: RequestValues
        var body: [UInt8]
    }

    private struct Known {
        var cost: Double
        var until: ContinuousClock.Instant
    }

    private let limits: CostLimits
    private let known = Mutex<[Key: Known]>([:])

    /// How long an estimate holds: statistics change, if slowly.
    private static let lifetime = Duration.seconds(60)
    /// Estimates that are kept; with ``largestKey`` a bound on memory.
    private static let most = 1_000
    /// Bytes of values and body over which an estimate is not kept.
    private static let largestKey = 4_096

    init(limits: CostLimits) { self.limits = limits }

    func limit(for role: String) -> Double? { limits.isEmpty ? nil : limits.limit(for: role) }

    /// nil for requests whose estimate is not worth keeping.
    static func key(of compiled: CompiledRequest, _ request: DataRequest) -> Key? {
        let size = request.values.arena.count + request.body.count + request.principal.claims.count
        guard size <= largestKey else { return nil }
        return Key(
            catalogVersion: compiled.snapshot.version, statement: compiled.rendered.main.text.id,
            role: request.principal.role, claims: request.principal.claims, values: request.values,
            body: request.body)
    }

    func cost(of key: Key) -> Double? {
        known.withLock { known in
            guard let found = known[key], found.until > .now else { return nil }
            return found.cost
        }
    }

    func remember(_ cost: Double, of key: Key) {
        known.withLock { known in
            if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
            known[key] = Known(cost: cost, until: .now + Self.lifetime)
        }
    }

    /// - Throws: APUS444 when `cost` is over `limit`.
    static func check(_ cost: Double, within limit: Double, role: String) throws(Fault) {
        guard cost > limit else { return }
        throw Fault(
            code: "APUS444", kind: .invalid,
            message: "This request would cost \(shown(cost)); the role '\(role)' may spend \(shown(limit)).",
            details:
                "Cost is PostgreSQL's estimate of the whole statement, about one for each page that is read. Nothing was run.",
            hint:
                "Filter by an indexed column, embed less or ask for fewer rows; or raise 'db-max-cost' for this role."
        )
    }

    private static func shown(_ cost: Double) -> String {
        cost < 1e15 && cost == cost.rounded() ? String(Int(cost)) : String(cost)
    }
}

package import ApusCatalog
package import ApusPlanner
import ApusSQL
import Synchronization

/// Everything about a request that depends on its shape and the catalog alone: planned and rendered once, run for
/// every request of the shape.
package final class CompiledRequest: Sendable {
    /// The catalog that it was made for.
    let snapshot: CatalogSnapshot
    package let plan: Plan
    let rendered: RenderedPlan
    let opening: TransactionOpening
    /// What it starts with as a part of a transaction of several requests.
    let openingOfPart: TransactionOpening
    /// Whether it may run in one transaction with other requests of its principal: it is one statement, and neither it nor
    /// anything it may call changes a setting. Reads may, and inserts that wait for nobody.
    let sharesTransaction: Bool
    /// Statements that end the transaction another way than by committing.
    package let rollsBack: Bool
    /// Whether the transaction may change anything; decides about `transaction_read_only` and repetition.
    package let isReadOnly: Bool
    /// For logs and metrics: action and target, never a value.
    package let label: String
    /// Whether it reads tables or views, and nothing else.
    package var isRead: Bool { plan.intent.action == .read }
    /// What is known of its dependence on tables.
    package let note = CompiledNote()
    /// The catalog's relations, for whoever needs to know the tables behind the plan.
    package var catalog: Catalog { snapshot.catalog }
    /// Made when it is first asked for: few shapes ever need it.
    private let madeExplanation = Mutex<StatementTemplate?>(nil)
    /// Made when it is first asked for, and asked for by every read after it.
    private let madeGathering = AtomicLazyReference<Gathering>()

    init(
        snapshot: CatalogSnapshot, plan: Plan, rendered: RenderedPlan, opening: TransactionOpening,
        openingOfPart: TransactionOpening, rollsBack: Bool, isReadOnly: Bool, sharesTransaction: Bool
    ) {
        self.snapshot = snapshot
        self.plan = plan
        self.rendered = rendered
        self.opening = opening
        self.openingOfPart = openingOfPart
        self.sharesTransaction = sharesTransaction
        self.rollsBack = rollsBack
        self.isReadOnly = isReadOnly
        label = Self.label(of: plan.intent)
    }

    /// The text that carries out the plan; it has no values in it.
    package var statement: String { rendered.main.text.sql }

    /// Names the shape in logs: hash of ``statement``, 16 hexadecimal digits, the same in every process.
    package var shapeFingerprint: String {
        var hash = StableHash()
        hash.add(statement)
        return StableHash.shown(hash.value)
    }

    /// The statement that asks PostgreSQL how it would run ``RenderedPlan/main``.
    func explanation(by compiler: Compiler) -> StatementTemplate {
        madeExplanation.withLock { made in
            if let made { return made }
            let fresh = compiler.explanation(of: plan)
            made = fresh
            return fresh
        }
    }

    /// How to ask for several requests of this shape at once.
    func gathering(by compiler: Compiler) -> Gathering {
        if let made = madeGathering.load() { return made }
        return madeGathering.storeIfNil(Gathering(compiler.gathered(plan, in: catalog)))
    }

    private static func label(of intent: Intent) -> String {
        switch intent.action {
        case .read: "read \(intent.target.name)"
        case .insert: "insert \(intent.target.name)"
        case .upsertOne: "upsert \(intent.target.name)"
        case .update: "update \(intent.target.name)"
        case .delete: "delete \(intent.target.name)"
        case .call: "call \(intent.target.name)"
        }
    }
}

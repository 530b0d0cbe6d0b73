import ApusJSON

/// What PostgreSQL says of a statement before it runs: what it would cost, and by which plan.
package struct PlanEstimate: Sendable, Equatable {
    /// Total cost, in the planner's units: about one page read in sequence (PostgreSQL, "Using EXPLAIN").
    package var cost: Double
    /// Hash of the plan's structure: equal for plans that do the same steps in the same order on the same relations
    /// and indexes, whatever their values, costs and row counts. The same in every process and on every machine.
    package var fingerprint: UInt64

    /// - Parameter json: what `EXPLAIN (FORMAT JSON)` gives; nil is returned for anything else.
    init?(json: [UInt8]) {
        guard case .array(let plans)? = try? JSONReader.read(json),
            let top = plans.first?.object?["Plan"]?.object,
            case .number(let text)? = top["Total Cost"], let cost = Double(text)
        else { return nil }
        var hash = StableHash()
        Self.add(top, to: &hash)
        self.cost = cost
        fingerprint = hash.value
    }

    /// ``fingerprint`` as it is shown: 16 hexadecimal digits.
    package var shownFingerprint: String { StableHash.shown(fingerprint) }

    /// Members of a node that say what it does, and no value or estimate.
    private static let structure = [
        "Node Type", "Parent Relationship", "Subplan Name", "Strategy", "Partial Mode", "Operation",
        "Join Type",
        "Scan Direction", "Schema", "Relation Name", "Index Name", "Function Name", "CTE Name", "Command",
    ]

    private static func add(_ node: JSONObject, to hash: inout StableHash) {
        hash.add("(")
        for name in structure {
            if let value = node[name]?.text { hash.add(name + "=" + value) }
        }
        if case .array(let children)? = node["Plans"] {
            for child in children { if let child = child.object { add(child, to: &hash) } }
        }
        hash.add(")")
    }
}

/// FNV-1a of 64 bits: the same everywhere, which Swift's own hashing is not. For names in logs, not against
/// forgers.
package struct StableHash: Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        // Parts do not run into each other.
        add(0xFF)
    }

    private mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    /// 16 hexadecimal digits.
    package static func shown(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

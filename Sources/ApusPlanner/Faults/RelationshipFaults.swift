import ApusCatalog
import ApusFaults

extension PlanFault.MissingRelationship {
    /// `PGRST200`
    var fault: Fault {
        let searched = hint.map { "'\(child)' using the hint '\($0)'" } ?? "'\(child)'"
        return Fault(
            code: "PGRST200", kind: .invalid,
            message:
                "Could not find a relationship between '\(parent)' and '\(child)' in the schema cache",
            details: "Searched for a foreign key relationship between '\(parent)' and \(searched)"
                + " in the schema '\(schema)', but no matches were found.",
            hint: suggestion)
    }
}

extension PlanFault {
    /// `PGRST201`, whose details list the candidates as JSON.
    static func ambiguous(parent: String, child: String, _ candidates: [Relationship]) -> Fault {
        let sorted = candidates.sorted { $0.precedes($1) }
        let hints = sorted.compactMap { candidate in
            candidate.disambiguation.map { "'\(candidate.target.name)!\($0)'" }
        }
        return Fault(
            code: "PGRST201", kind: .status(300),
            message: "Could not embed because more than one relationship was found for '\(parent)' and "
                + "'\(child)'",
            details: "[" + sorted.map(\.json).joined(separator: ",") + "]",
            hint: "Try changing '\(child)' to one of the following: \(hints.joined(separator: ", "))."
                + " Find the desired relationship in the 'details' key.",
            detailsAreJSON: true)
    }
}

extension Relationship {
    /// What a hint has to name to mean this relationship.
    fileprivate var disambiguation: String? {
        switch cardinality {
        case .manyToOne(let constraint, _), .oneToMany(let constraint, _),
            .oneToOne(let constraint, _, _):
            constraint
        case .manyToMany(let junction): junction.table.name
        case .computed: nil
        }
    }

    /// The relationship as an element of the details, keys in alphabetical order.
    fileprivate var json: String {
        let (kind, path): (String, String)
        switch cardinality {
        case .manyToOne(let constraint, let columns):
            (kind, path) = ("many-to-one", describe(constraint, columns))
        case .oneToMany(let constraint, let columns):
            (kind, path) = ("one-to-many", describe(constraint, columns))
        case .oneToOne(let constraint, let columns, _):
            (kind, path) = ("one-to-one", describe(constraint, columns))
        case .manyToMany(let junction):
            kind = "many-to-many"
            path =
                "\(junction.table.name) using "
                + "\(junction.sourceConstraint)(\(junction.sourceColumns.list(\.target))) and "
                + "\(junction.targetConstraint)(\(junction.targetColumns.list(\.target)))"
        case .computed:
            return "{}"
        }
        let embedding = "\(source.name) with \(target.name)"
        return "{\"cardinality\":\(jsonString(kind)),\"embedding\":\(jsonString(embedding))"
            + ",\"relationship\":\(jsonString(path))}"
    }

    private func describe(_ constraint: String, _ columns: [ColumnPair]) -> String {
        "\(constraint) using \(source.name)(\(columns.list(\.source)))"
            + " and \(target.name)(\(columns.list(\.target)))"
    }

    /// The order in which candidates are shown: by cardinality, then by name, then by columns.
    fileprivate func precedes(_ other: Relationship) -> Bool {
        let (left, right) = (sortKey, other.sortKey)
        return left.rank != right.rank
            ? left.rank < right.rank
            : left.words.lexicographicallyPrecedes(right.words) {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
    }

    private var sortKey: (rank: Int, words: [String]) {
        switch cardinality {
        case .oneToMany(let constraint, let columns): (0, [constraint] + columns.words)
        case .manyToOne(let constraint, let columns): (1, [constraint] + columns.words)
        case .oneToOne(let constraint, let columns, _): (2, [constraint] + columns.words)
        case .manyToMany(let junction):
            (
                3,
                [
                    junction.table.schema, junction.table.name, junction.sourceConstraint,
                    junction.targetConstraint,
                ] + junction.sourceColumns.words + junction.targetColumns.words
            )
        case .computed(let function, _): (4, [function.schema, function.name])
        }
    }
}

extension [Relationship.ColumnPair] {
    fileprivate func list(_ side: (Relationship.ColumnPair) -> String) -> String {
        map(side).joined(separator: ", ")
    }

    fileprivate var words: [String] { flatMap { [$0.source, $0.target] } }
}

/// A JSON string (RFC 8259 §7).
private func jsonString(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": json += "\\\""
        case "\\": json += "\\\\"
        case "\n": json += "\\n"
        case "\r": json += "\\r"
        case "\t": json += "\\t"
        case _ where scalar.value < 0x20:
            let hex = String(scalar.value, radix: 16)
            json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}

import ApusCatalog
import ApusDataAPI
import ApusPlanner
import ApusRealtime

/// What the answer to a read depends on; found once for a shape of requests and a state of the schema.
final class ReadProfile: Sendable {
    /// Version of the ``ReachBook`` that it was made from.
    let version: UInt64
    /// Of the definitions that the answer depends on: the same on every node and after a restart.
    let definitions: UInt64
    /// Every table that may be read, policies' tables included.
    let relations: [UInt32]
    /// Which claims of the caller decide about the answer.
    let claims: ClaimsUse
    /// Whether rows of these tables, role, claims and request decide about the answer alone.
    let isExact: Bool
    /// `key = eq.value` on the one table that is read: only this row counts.
    let key: (relation: UInt32, column: String, type: UInt32, operand: Operand)?
    /// Columns of the primary key as they are called in the answer's rows; nil when not all of them are there.
    let rowKey: [String]?
    /// The table that the rows come from, and its key's columns; nil for a view.
    let source: (relation: UInt32, columns: [String])?
    /// Whether a row of the source that its condition leaves out can make no difference: nothing but the top level reads
    /// the source.
    let looksAtSourceOnce: Bool

    private init(
        version: UInt64, definitions: UInt64, relations: [UInt32], claims: ClaimsUse, isExact: Bool,
        key: (relation: UInt32, column: String, type: UInt32, operand: Operand)?, rowKey: [String]?,
        source: (relation: UInt32, columns: [String])?, looksAtSourceOnce: Bool
    ) {
        self.version = version
        self.definitions = definitions
        self.relations = relations
        self.claims = claims
        self.isExact = isExact
        self.key = key
        self.rowKey = rowKey
        self.source = source
        self.looksAtSourceOnce = looksAtSourceOnce
    }

    /// The profile of a read; nil while what it depends on is being found out.
    static func of(_ compiled: CompiledRequest, _ book: ReachBook) -> ReadProfile? {
        let version = book.version
        if let known = compiled.note.value as? ReadProfile, known.version == version { return known }
        guard let survey = PlanSurvey(of: compiled), let made = make(compiled, survey, book, version) else {
            return nil
        }
        compiled.note.value = made
        return made
    }

    /// What a read names.
    static func named(_ compiled: CompiledRequest) -> [ReachBook.Subject] {
        PlanSurvey(of: compiled)?.subjects ?? []
    }

    // MARK: - Non public

    private static func make(
        _ compiled: CompiledRequest, _ survey: PlanSurvey, _ book: ReachBook, _ version: UInt64
    ) -> ReadProfile? {
        var isExact = survey.isPlain && isPlain(compiled.plan)
        var relations: Set<UInt32> = []
        var claims = ClaimsUse.named([])
        var definitions = ContentHash()
        for subject in survey.subjects {
            guard let reach = book.reach(of: subject) else { return nil }
            isExact = isExact && reach.isPure && (subject.isRelation || reach.functions.allSatisfy(\.isOpen))
            claims = claims.union(ClaimsUse(of: reach.texts) ?? .all)
            definitions.add(Array(reach.version.utf8))
            for found in reach.relations where found.kind != "v" {
                isExact = isExact && found.isPermanent && (found.kind == "r" || found.kind == "p")
                relations.insert(found.oid)
            }
        }
        let sorted = relations.sorted()
        guard case .read(let plan) = compiled.plan.work else {
            return ReadProfile(
                version: version, definitions: definitions.finish(), relations: sorted,
                claims: isExact ? claims : .all, isExact: isExact, key: nil, rowKey: nil, source: nil,
                looksAtSourceOnce: false)
        }
        let source = compiled.catalog.relations[plan.source]
        let isAlone = plan.children.isEmpty && relations.count == 1 && relations.first == source?.oid
        return ReadProfile(
            version: version, definitions: definitions.finish(), relations: sorted, claims: claims,
            isExact: isExact, key: isAlone ? source.flatMap { key(plan, $0) } : nil,
            rowKey: source.flatMap { rowKey(plan, $0) },
            source: source.flatMap { $0.isView ? nil : ($0.oid, $0.primaryKey) },
            looksAtSourceOnce: source.map { looksOnce($0, plan, survey, book) } ?? false)
    }

    private static func looksOnce(
        _ source: Relation, _ plan: ReadPlan, _ survey: PlanSurvey, _ book: ReachBook
    ) -> Bool {
        guard source.kind == .table || source.kind == .partitioned, survey.count(of: source.oid) == 1 else {
            return false
        }
        return survey.subjects.allSatisfy { subject in
            subject == .relation(source.oid)
                || book.reach(of: subject)?.relations.contains { $0.oid == source.oid } == false
        }
    }

    private static func isPlain(_ plan: Plan) -> Bool {
        switch plan.handler.kind {
        case .json, .singleJSON, .arrayWithoutNulls, .csv: break
        case .geoJSON, .custom, .none: return false
        }
        if case .plan = plan.handler.mediaType { return false }
        return plan.count == nil || plan.count == .exact
    }

    private static func key(
        _ plan: ReadPlan, _ relation: Relation
    ) -> (relation: UInt32, column: String, type: UInt32, operand: Operand)? {
        guard relation.kind == .table, relation.primaryKey.count == 1, let name = relation.primaryKey.first,
            let column = relation.column(name), [20, 21, 23, 2950].contains(column.typeOID)
        else { return nil }
        for condition in plan.filters {
            if case .filter(let filter) = condition, filter.field.name == name, filter.field.path.isEmpty,
                !filter.isNegated, case .quantified(.equal, nil, let operand) = filter.operation
            {
                return (relation.oid, name, column.typeOID, operand)
            }
        }
        return nil
    }

    private static func rowKey(_ plan: ReadPlan, _ relation: Relation) -> [String]? {
        guard !relation.primaryKey.isEmpty, plan.select.allSatisfy({ $0.aggregate == nil }) else {
            return nil
        }
        var names: [String] = []
        let showsAll = plan.select.contains { $0.field.name == "*" }
        for column in relation.primaryKey {
            if showsAll {
                names.append(column)
                continue
            }
            let shown = plan.select.first {
                $0.field.name == column && $0.field.path.isEmpty && $0.cast == nil
                    && $0.field.transform == nil
            }
            guard let shown else { return nil }
            names.append(shown.alias ?? column)
        }
        return names
    }
}

extension ReachBook.Subject {
    fileprivate var isRelation: Bool { if case .relation = self { true } else { false } }
}

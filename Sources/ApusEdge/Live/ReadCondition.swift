import ApusDataAPI
import ApusPlanner
import ApusRealtime

/// The condition of a read's top level, with its values, as far as the process can decide it.
enum ReadCondition {
    static func of(_ plan: ReadPlan, _ values: RequestValues) -> RowCondition {
        .and(plan.filters.map { condition($0, values) })
    }

    // MARK: - Non public

    private static func condition(_ condition: PlannedCondition, _ values: RequestValues) -> RowCondition {
        switch condition {
        case .group(let isNegated, let logic, let members):
            let parts = members.map { Self.condition($0, values) }
            let group: RowCondition = logic == .and ? .and(parts) : .or(parts)
            return isNegated ? .not(group) : group
        case .filter(let filter):
            if case .is(.notNull) = filter.operation, filter.field.path.isEmpty {
                return .test(.init(column: filter.field.name, isNegated: !filter.isNegated, .isNull))
            }
            guard filter.field.path.isEmpty, filter.field.transform == nil, filter.field.textSearch == nil,
                let operation = operation(filter.operation, values)
            else { return .undecided(column: filter.field.name) }
            return .test(
                .init(column: filter.field.name, isNegated: filter.isNegated, operation))
        case .embeddedIsNull: return .undecided(column: nil)
        }
    }

    private static func operation(
        _ operation: ApusPlanner.Operation, _ values: RequestValues
    ) -> RowFilter.Operation? {
        func compare(_ comparison: Predicate.Comparison, _ operand: Operand) -> RowFilter.Operation? {
            text(values.bytes(of: operand)).map { .compare(comparison, $0) }
        }
        switch operation {
        case .compare(.notEqual, let operand): return compare(.notEqual, operand)
        case .quantified(.equal, nil, let operand): return compare(.equal, operand)
        case .quantified(.greaterThan, nil, let operand): return compare(.greater, operand)
        case .quantified(.greaterThanOrEqual, nil, let operand): return compare(.greaterOrEqual, operand)
        case .quantified(.lessThan, nil, let operand): return compare(.less, operand)
        case .quantified(.lessThanOrEqual, nil, let operand): return compare(.lessOrEqual, operand)
        case .isIn(let operand):
            guard let elements = values.elements(of: operand) else { return nil }
            let texts = elements.compactMap { text($0[...]) }
            return texts.count == elements.count ? .isIn(texts) : nil
        case .isDistinctFrom(let operand): return text(values.bytes(of: operand)).map { .isDistinct($0) }
        case .is(.null): return .isNull
        case .is(.true): return .isTrue
        case .is(.false): return .isFalse
        case .is(.unknown): return .isUnknown
        case .is(.notNull), .compare, .quantified, .fullText: return nil
        }
    }

    /// nil for what is no text of PostgreSQL's.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }
}

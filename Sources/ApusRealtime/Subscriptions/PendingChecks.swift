import ApusFaults
import ApusPostgres
import ApusSQL

/// Questions to PostgreSQL that the deliveries of one batch wait for, gathered by who asks and what.
struct PendingChecks {
    enum Side { case before, after }

    private struct Key: Hashable {
        var audience: ObjectIdentifier
        var filter: String
        var filterValues: [String]
    }

    private struct Question {
        var row: RowCheck.Row
        var side: Side
        /// Index of the delivery, and of the recipient in it.
        var place: (delivery: Int, recipient: Int)
    }

    private struct Group {
        var audience: Audience
        var conditions: [SQL]
        var questions: [Question] = []
        /// Rows of which something that decides did not travel, by their keys.
        var lookups: [Question] = []
    }

    private var groups: [Key: Group] = [:]

    /// Puts a row's question; false when it cannot be answered, because what decides did not travel.
    mutating func ask(
        _ row: RowView, _ side: Side, _ member: TableSubscriptions.Member, _ table: TableAccess,
        _ place: (delivery: Int, recipient: Int)
    ) -> Bool {
        var conditions: [SQL] = []
        if case .check(let text) = member.audience.binding { conditions.append(SQL(trusted: text)) }
        if case .predicate = member.audience.binding,
            let text = member.audience.access.condition(table)
        {
            conditions.append(SQL(trusted: text))
        }
        if let filter = member.filter.sql { conditions.append(filter) }
        let key = Key(
            audience: ObjectIdentifier(member.audience), filter: member.filter.sql?.text ?? "",
            filterValues: member.filter.sql?.parameters.map { "\($0)" } ?? [])
        let isWhole = Self.needed(conditions, member, table).allSatisfy { column in
            switch row.raw(column) {
            case .null?, .text?: true
            case .unchangedToast?, nil: false
            }
        }
        guard isWhole || side == .after && member.filter.sql == nil && !table.key.isEmpty else {
            return false
        }
        var group = groups[key] ?? Group(audience: member.audience, conditions: conditions)
        if isWhole {
            let values = table.columns.indices.map { Self.text(row.raw($0)) }
            group.questions.append(Question(row: values, side: side, place: place))
        } else {
            let values = table.key.map { name in
                table.columnIndex(name).flatMap { Self.text(row.raw($0)) }
            }
            group.lookups.append(Question(row: values, side: side, place: place))
        }
        groups[key] = group
        return true
    }

    /// Asks, and writes the answers into the deliveries. A question that raises concerns its own recipient alone.
    func answer(with check: RowCheck, into deliveries: inout [RowDelivery]) async {
        if groups.isEmpty { return }
        for group in groups.values {
            for (question, outcome) in await Self.outcomes(of: group, check) {
                Self.note(outcome, question, &deliveries)
            }
        }
        for index in deliveries.indices {
            deliveries[index].recipients.removeAll { recipient in
                recipient.fault == nil && [.hidden, .none].contains(recipient.before)
                    && [.hidden, .none].contains(recipient.after)
            }
        }
    }

    // MARK: - Non public

    private static func text(_ value: FeedValue?) -> ArraySlice<UInt8>? {
        if case .text(let text)? = value { text } else { nil }
    }

    /// Columns that a condition may read: those whose names occur in it.
    private static func needed(
        _ conditions: [SQL], _ member: TableSubscriptions.Member, _ table: TableAccess
    ) -> Set<Int> {
        var needed = Set(member.filter.columns)
        for (index, column) in table.columns.enumerated()
        where conditions.contains(where: { $0.text.contains(column.name) }) {
            needed.insert(index)
        }
        return needed
    }

    private static func outcomes(
        of group: Group, _ check: RowCheck
    ) async -> [(Question, Result<Bool, Fault>)] {
        let table = group.audience.table
        let principal = group.audience.principal
        func judge(_ questions: [Question]) async throws(PostgresFault) -> [Bool] {
            let rows = questions.map(\.row)
            if group.conditions.isEmpty { return rows.map { _ in true } }
            return try await check.outcomes(of: group.conditions, for: rows, in: table, as: principal).map {
                $0.allSatisfy { $0 }
            }
        }
        func look(_ questions: [Question]) async throws(PostgresFault) -> [Bool] {
            try await check.visible(keys: questions.map(\.row), in: table, as: principal)
        }
        return await apart(group.questions, judge) + apart(group.lookups, look)
    }

    /// All in one statement; when that raises, each by itself, so that one row's error stays its own.
    private static func apart(
        _ questions: [Question], _ ask: ([Question]) async throws(PostgresFault) -> [Bool]
    ) async -> [(Question, Result<Bool, Fault>)] {
        guard !questions.isEmpty else { return [] }
        do {
            let answers = try await ask(questions)
            return zip(questions, answers).map { ($0, .success($1)) }
        } catch {
            if questions.count == 1 { return [(questions[0], .failure(error.fault(isAnonymous: false)))] }
            var all: [(Question, Result<Bool, Fault>)] = []
            for question in questions {
                do {
                    let answers = try await ask([question])
                    all.append((question, .success(answers.first ?? false)))
                } catch {
                    all.append((question, .failure(error.fault(isAnonymous: false))))
                }
            }
            return all
        }
    }

    private static func note(
        _ outcome: Result<Bool, Fault>, _ question: Question, _ deliveries: inout [RowDelivery]
    ) {
        guard deliveries.indices.contains(question.place.delivery),
            deliveries[question.place.delivery].recipients.indices.contains(question.place.recipient)
        else { return }
        var recipient = deliveries[question.place.delivery].recipients[question.place.recipient]
        switch (outcome, question.side) {
        case (.success(let isSeen), .before): recipient.before = isSeen ? .seen : .hidden
        case (.success(let isSeen), .after): recipient.after = isSeen ? .seen : .hidden
        case (.failure(let fault), _): recipient.fault = fault
        }
        deliveries[question.place.delivery].recipients[question.place.recipient] = recipient
    }
}

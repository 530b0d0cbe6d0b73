import ApusFaults
import ApusPostgres
import ApusSQL

extension DataAPI {
    /// Has a read wait for others like it, where that may pay; nil: it goes alone.
    func gather(
        _ compiled: CompiledRequest, _ request: DataRequest, own: StatementTemplate, on lane: DataLane,
        reply: @escaping @Sendable (Result<Answer, Fault>) -> Void
    ) -> GatheredReads? {
        guard settings.gathersReads, compiled.sharesTransaction, compiled.opening.isFixed,
            compiled.opening.hasOrdinaryIsolation(for: request.principal.role)
        else { return nil }
        let gathering = compiled.gathering(by: compiler)
        let places = gathering.places(for: request.values, own: own.text)
        guard places > 1 else { return nil }
        return lane.gather(
            .init(request: request, reply: reply), of: compiled, gathering,
            compiled.opening.opening(for: request), places: places)
    }

    /// Asks for reads that came together: by one statement if there are several. To be called on the lane's event loop.
    func send(_ group: GatheredReads, on lane: DataLane) {
        let reads = group.reads
        guard reads.count > 1, let template = group.gathering.statement else {
            for read in reads { askAlone(group, read, on: lane) }
            return
        }
        gathered.count(reads: reads.count)
        let statement = template.statement(gathering: group.questions)
        let trip = RoundTrip(
            opening: group.opening, steps: [.init(statement)], role: reads[0].request.principal.role,
            isReadOnly: true, sharesTransaction: true)
        group.sent(
            as: lane.lane.submit(trip) { [self] result in
                group.isAnswered()
                answer(group, with: result, on: lane)
            })
    }

    // MARK: - Non public

    /// Gives each its rows. What one of them made fail, or nobody can tell apart, is asked once more for each: they are
    /// reads.
    private func answer(
        _ group: GatheredReads, with result: Result<[Rows], PostgresFault>, on lane: DataLane
    ) {
        let compiled = group.compiled
        switch result {
        case .failure(let refusal) where refusal.kind != .server:
            for read in group.reads {
                read.reply(.failure(DatabaseFault.fault(refusal, isAnonymous: read.request.isAnonymous)))
            }
        case .success(let results):
            guard let rows = results.first, let form = compiled.rendered.rowForm,
                let parts = GatheredRows.parts(of: rows, among: group.questions.count)
            else { fallthrough }
            let bodies = parts.map { form.body(of: $0, in: rows) }
            for read in group.reads {
                guard let body = bodies[read.question] else {
                    askAlone(group, read, on: lane)
                    continue
                }
                let count = parts[read.question].count
                read.reply(
                    Result { () throws(Fault) in
                        try AnswerShaper(compiled: compiled).answer(rows: count, body: body)
                    })
            }
        case .failure:
            group.gathering.failed()
            for read in group.reads { askAlone(group, read, on: lane) }
        }
    }

    private func askAlone(_ group: GatheredReads, _ read: GatheredReads.Read, on lane: DataLane) {
        do throws(Fault) {
            let answer = try answerAlone(group.compiled, read.request, on: lane, reply: read.reply)
            if group.reads.count == 1 { group.sent(as: answer) }
        } catch {
            read.reply(.failure(error))
        }
    }
}

/// Rows of several requests in one result.
enum GatheredRows {
    /// Where the rows of each request lie; nil when they are not one request's after the other's.
    ///
    /// - Parameter rows: with the number of the request, from one, in the last column.
    static func parts(of rows: Rows, among count: Int) -> [Range<Int>]? {
        var parts = [Range<Int>](repeating: 0..<0, count: count)
        var last = 0
        var start = 0
        for row in 0..<rows.count {
            let number: Int? = rows.withBytes(row, rows.columnCount - 1) { $0.flatMap(Self.number) }
            guard let number, number >= max(last, 1), number <= count else { return nil }
            if number != last { (last, start) = (number, row) }
            parts[number - 1] = start..<row + 1
        }
        return parts
    }

    /// Of at most four decimal digits.
    private static func number(_ text: UnsafeRawBufferPointer) -> Int? {
        guard (1...4).contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}

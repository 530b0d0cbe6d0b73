import ApusSQL
import ApusTestSupport
import Testing

@testable import ApusPostgres

/// Trips with one opening share transactions; nothing of one may be seen in the answer to another.
@Suite struct SharedTransactionTests {
    private static let question = StatementText(
        "select current_setting('app.who'), $1::int, 10 / $2::int, now()::text")

    /// An opening that says who asks.
    private static func opening(_ who: String) -> Opening {
        Opening(steps: [
            .init(
                Statement("select set_config('app.who', \(bind: who), true)", isPrepared: true),
                keepsRows: false)
        ])
    }

    private static func trip(_ opening: Opening, _ number: Int, divisor: Int) -> RoundTrip {
        var binds = Binds()
        binds.append(text: "\(number)".utf8)
        binds.append(text: "\(divisor)".utf8)
        return RoundTrip(
            opening: opening, steps: [.init(Statement(text: question, binds: binds))], isReadOnly: true,
            sharesTransaction: true)
    }

    /// The driver knows how long the statement takes, so that it is no slow one.
    private static func warm(_ database: Database) async throws {
        for number in 0..<20 {
            _ = try await database.execute(trip(opening("warm"), number, divisor: 1))
        }
    }

    @Test func everyoneIsAnsweredAsThemselvesWhateverFailsAround() async throws {
        try await withDriver({ $0.connections = 2 }) { database async throws in
            try await Self.warm(database)
            let openings = (0..<5).map { Self.opening("user \($0)") }
            for round in 0..<10 {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<300 {
                        // Runs of one principal, and changes from each to the next.
                        let who = round.isMultiple(of: 2) ? number / 20 % 5 : number % 5
                        let fails = round > 1 && number % 7 == 0
                        group.addTask {
                            let trip = Self.trip(openings[who], number, divisor: fails ? 0 : 2)
                            if fails {
                                let fault = await database.faultOf(trip)
                                #expect(fault?.sqlState == "22012")
                                #expect(fault?.mayHaveHappened == false)
                            } else {
                                do {
                                    let rows = try await database.execute(trip).first
                                    #expect(rows?.string(0, 0) == "user \(who)")
                                    #expect(rows?.int(0, 1) == number)
                                    #expect(rows?.int(0, 2) == 5)
                                } catch {
                                    Issue.record(error)
                                }
                            }
                        }
                    }
                }
            }
            // Nothing is left on the connections.
            for _ in 0..<8 {
                let left: SQL = "select coalesce(current_setting('app.who', true), '')"
                #expect(try await database.query(left).string(0, 0) == "")
            }
        }
    }

    @Test func tripsWithOneOpeningShareTheirTransaction() async throws {
        try await withDriver({ $0.connections = 1 }) { database async throws in
            try await Self.warm(database)
            let opening = Self.opening("ada")
            // While much else runs, statements can take so long that each is given a transaction of its own.
            #expect(
                try await eventually {
                    let moments = try await withThrowingTaskGroup(of: String.self) { group in
                        for number in 0..<200 {
                            group.addTask {
                                let trip = Self.trip(opening, number, divisor: 1)
                                return try await database.execute(trip).first?.string(0, 3) ?? ""
                            }
                        }
                        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                    }
                    return moments.count < 200
                })
        }
    }

    @Test func aFailingOpeningFailsEachOfItsOwn() async throws {
        try await withDriver({ $0.connections = 1 }) { database async throws in
            try await Self.warm(database)
            let broken = Opening(steps: [
                .init(Statement("select set_config('role', 'nobody here', true)"), keepsRows: false)
            ])
            let sound = Self.opening("ada")
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        if number.isMultiple(of: 2) {
                            let fault = await database.faultOf(Self.trip(broken, number, divisor: 1))
                            #expect(fault?.sqlState == "22023")
                        } else {
                            let rows = try? await database.execute(Self.trip(sound, number, divisor: 1)).first
                            #expect(rows?.string(0, 0) == "ada")
                        }
                    }
                }
            }
        }
    }

    @Test func oneThatIsCancelledTakesNobodyAlong() async throws {
        // Quick until the lock is held.
        let text = StatementText("select $1::int, pg_advisory_xact_lock_shared($2::int)")
        let opening = Self.opening("ada")
        func trip(_ number: Int, lock: Int) -> RoundTrip {
            var binds = Binds()
            binds.append(text: "\(number)".utf8)
            binds.append(text: "\(lock)".utf8)
            return RoundTrip(
                opening: opening, steps: [.init(Statement(text: text, binds: binds))], isReadOnly: true,
                sharesTransaction: true)
        }
        try await withDriver({ $0.connections = 1 }) { database async throws in
            for number in 0..<20 { _ = try await database.execute(trip(number, lock: 1)) }
            try await withDriver({ $0.connections = 1 }) { observer in
                try await observer.withSession { session in
                    try await session.query("select pg_advisory_lock(8821)")
                    let others = (0..<30).map { number in
                        Task { try await database.execute(trip(number, lock: 1)).first?.int(0, 0) }
                    }
                    let stuck = Task { await database.faultOf(trip(99, lock: 8821)) }
                    let later = (30..<60).map { number in
                        Task { try await database.execute(trip(number, lock: 1)).first?.int(0, 0) }
                    }
                    let waiting: SQL = "select count(*) from pg_locks where not granted and objid = 8821"
                    #expect(try await eventually { try await session.query(waiting).int(0, 0) == 1 })
                    stuck.cancel()
                    #expect(await stuck.value?.kind == .cancelled)
                    for (number, task) in (others + later).enumerated() {
                        #expect(try await task.value == number)
                    }
                }
            }
        }
    }

    @Test func aLostConnectionLosesNoAnswer() async throws {
        try await withDriver({
            $0.connections = 2
            $0.sessionParameters = [("application_name", "to be killed")]
        }) { database async throws in
            try await Self.warm(database)
            let opening = Self.opening("ada")
            let killer = Task {
                try await withDriver { observer in
                    for _ in 0..<5 {
                        try await observer.query(
                            """
                            select pg_terminate_backend(pid) from pg_stat_activity
                            where application_name = 'to be killed'
                            """)
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
            let wrong = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<3_000 {
                    group.addTask {
                        do {
                            return try await database.execute(Self.trip(opening, number, divisor: 1)).first?
                                .int(0, 1) != number
                        } catch {
                            // Killed twice in a row: said so, and not made up.
                            return (error as? PostgresFault)?.kind != .connectionLost
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
            try await killer.value
        }
    }

    // MARK: - Writes

    /// A table of numbers, of which -1 is there already, and inserts into it.
    private struct Numbers: Sendable {
        let table: String
        private let insertion: StatementText

        init(_ table: String, in database: Database) async throws {
            self.table = table
            insertion = StatementText(
                "insert into \(table) (who, number) values (current_setting('app.who'), $1::int / $2::int)")
            try await database.withSession { session in
                try await session.simpleQuery(
                    """
                    drop table if exists \(table);
                    create table \(table) (
                        who text, number int unique deferrable initially deferred,
                        xact text default pg_current_xact_id()::text);
                    """)
            }
            // The driver knows how long it takes.
            for number in 1...20 {
                _ = try await database.execute(write(SharedTransactionTests.opening("warm"), -number))
            }
        }

        /// Fails at once when `divisor` is 0; and when its transaction ends, when the number is there already.
        func write(_ opening: Opening, _ number: Int, divisor: Int = 1) -> RoundTrip {
            var binds = Binds()
            binds.append(text: "\(number)".utf8)
            binds.append(text: "\(divisor)".utf8)
            return RoundTrip(
                opening: opening, steps: [.init(Statement(text: insertion, binds: binds))],
                sharesTransaction: true)
        }
    }

    @Test func writesThatFailUndoNobodyElses() async throws {
        try await withDriver({ $0.connections = 2 }) { database async throws in
            let numbers = try await Numbers("written_beside_failures", in: database)
            let openings = (0..<3).map { Self.opening("user \($0)") }
            var expected: Set<String> = []
            for round in 0..<6 {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<240 {
                        // Runs of one principal, and changes from each to the next.
                        let who = round.isMultiple(of: 2) ? number / 20 % 3 : number % 3
                        let failure =
                            round == 0 ? nil : number % 31 == 0 ? "22012" : number % 37 == 1 ? "23505" : nil
                        let value = failure == "23505" ? -1 : round * 1000 + number
                        if failure == nil { expected.insert("user \(who) \(value)") }
                        group.addTask {
                            let fault = await database.faultOf(
                                numbers.write(openings[who], value, divisor: failure == "22012" ? 0 : 1))
                            #expect(fault?.sqlState == failure)
                            #expect(fault?.mayHaveHappened != true)
                        }
                    }
                }
            }
            let rows = try await database.query(
                "select who || ' ' || number from \(ident: numbers.table) where number >= 0")
            let written = (0..<rows.count).compactMap { rows.string($0, 0) }
            #expect(written.count == expected.count)
            #expect(Set(written) == expected)
        }
    }

    @Test func writesWithOneOpeningCommitTogether() async throws {
        try await withDriver({ $0.connections = 1 }) { database async throws in
            let numbers = try await Numbers("written_together", in: database)
            let opening = Self.opening("ada")
            var number = 0
            // While much else runs, statements can take so long that each is given a transaction of its own.
            let isShared = try await eventually {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<100 {
                        number += 1
                        let trip = numbers.write(opening, number)
                        group.addTask { _ = try await database.execute(trip) }
                    }
                    try await group.waitForAll()
                }
                let counts = try await database.query(
                    "select count(*), count(distinct xact) from \(ident: numbers.table) where who = 'ada'"
                )
                #expect(counts.int(0, 0) == number)
                return counts.int(0, 1) ?? 0 < number
            }
            #expect(isShared)
        }
    }

    @Test func aWriteThatIsCancelledIsUndoneAlone() async throws {
        try await withDriver({ $0.connections = 1 }) { database async throws in
            let numbers = try await Numbers("written_beside_cancelled", in: database)
            let opening = Self.opening("ada")
            try await withDriver({ $0.connections = 1 }) { observer in
                try await observer.withSession { session in
                    // Whoever writes a number that is being written waits for the outcome.
                    try await session.simpleQuery(
                        "create unique index on \(numbers.table) (number) where number = 777")
                    try await session.simpleQuery(
                        "begin; insert into \(numbers.table) (number) values (777)")
                    let others = (0..<30).map { number in
                        Task { await database.faultOf(numbers.write(opening, number), timeout: .seconds(60)) }
                    }
                    let stuck = Task {
                        await database.faultOf(numbers.write(opening, 777), timeout: .seconds(90))
                    }
                    let later = (30..<60).map { number in
                        Task { await database.faultOf(numbers.write(opening, number), timeout: .seconds(60)) }
                    }
                    let waiting: SQL =
                        "select count(*) from pg_locks where not granted and locktype = 'transactionid'"
                    #expect(try await eventually { try await session.query(waiting).int(0, 0) ?? 0 >= 1 })
                    stuck.cancel()
                    #expect(await stuck.value?.kind == .cancelled)
                    for task in others + later { #expect(await task.value == nil) }
                    try await session.simpleQuery("rollback")
                }
            }
            let counts = try await database.query(
                "select count(*), count(distinct number) from \(ident: numbers.table) where number >= 0")
            #expect(counts.int(0, 0) == 60 && counts.int(0, 1) == 60)
        }
    }
}

import ApusMigrations
import ApusPostgres
import ApusSQL
import ApusTestSupport
import Crypto
import Logging
import Synchronization
import Testing

@testable import ApusMessages

@Suite("The queue of messages")
struct QueueTests {
    @Test func aMessageIsSentOnceItsTransactionCommits() async throws {
        let post = try await PostOffice.open()
        let message = post.message("committed@example.com")
        try await post.database.withTransaction { try await post.queue.enqueue(message, on: $0) }
        let worker = post.work()
        #expect(try await eventually { post.delivered == ["committed@example.com"] })
        #expect(try await eventually { try await post.waiting() == 0 })
        await post.close(worker)
    }

    @Test func aRolledBackMessageIsNeverSent() async throws {
        struct Undo: Error {}
        let post = try await PostOffice.open()
        let worker = post.work()
        let message = post.message("undone@example.com")
        await #expect(throws: Undo.self) {
            try await post.database.withTransaction { session in
                try await post.queue.enqueue(message, on: session)
                throw Undo()
            }
        }
        try await post.put("after@example.com")
        #expect(try await eventually { try await post.waiting() == 0 })
        #expect(post.delivered == ["after@example.com"])
        await post.close(worker)
    }

    @Test func whatIsKeptSaysNothing() async throws {
        let post = try await PostOffice.open()
        try await post.put("secret@example.com")
        let row = try await post.database.query(
            "select row_to_json(m)::text, encode(payload, 'escape') from apus.messages m")
        let text = (row.string(0, 0) ?? "") + (row.string(0, 1) ?? "")
        #expect(text.count > 100 && !text.contains("secret@example.com") && !text.contains("123456"))
        await post.close()
    }

    /// A payload that is moved to another row, or sealed with another key, opens for nobody.
    @Test func aMovedPayloadIsGivenUp() async throws {
        let post = try await PostOffice.open()
        try await post.put("moved@example.com")
        try await post.database.query("update apus.messages set id = gen_random_uuid()")
        let worker = post.work()
        let isGivenUp = try await eventually {
            try await post.value(
                "select count(*) from apus.messages where failed_at is not null and payload is null") == "1"
        }
        #expect(isGivenUp && post.delivered.isEmpty)
        await post.close(worker)
    }

    @Test func aPassingFailureIsTriedAgain() async throws {
        let post = try await PostOffice.open()
        post.onAttempt { $0 < 3 ? .passing("later") : nil }
        let worker = post.work()
        try await post.put("patient@example.com")
        #expect(try await eventually { post.delivered == ["patient@example.com"] })
        #expect(post.attempts == 3)
        await post.close(worker)
    }

    @Test func aPermanentFailureIsGivenUpAndForgetsWhatItSaid() async throws {
        let post = try await PostOffice.open()
        post.onAttempt { _ in .permanent("550 5.1.1") }
        let worker = post.work()
        try await post.put("nobody@example.com")
        let reason = "select last_error from apus.messages where failed_at is not null and payload is null"
        #expect(try await eventually { try await post.value(reason) == "550 5.1.1" })
        #expect(post.attempts == 1)
        await post.close(worker)
    }

    /// A server that is away is not tried for every message, and all are sent when it is back.
    @Test func whileTheServerIsAwayOneMessageTries() async throws {
        let post = try await PostOffice.open()
        let isAway = Mutex(true)
        post.onAttempt { _ in isAway.withLock { $0 } ? .unreachable("away") : nil }
        for number in 0..<20 { try await post.put("user\(number)@example.com") }
        let worker = post.work(slots: 2)
        #expect(try await eventually { post.attempts >= 4 })
        // Two at first, then one at a time, whichever it is.
        #expect(post.attempts < 20 && post.delivered.isEmpty)
        isAway.withLock { $0 = false }
        #expect(try await eventually { post.delivered.count == 20 })
        await post.close(worker)
    }

    @Test func anExpiredMessageIsNotSent() async throws {
        let post = try await PostOffice.open()
        var message = post.message("late@example.com")
        message.lifetime = 0
        try await post.put(message)
        let worker = post.work()
        let gone = "select count(*) from apus.messages where failed_at is not null and payload is null"
        #expect(try await eventually { try await post.value(gone) == "1" })
        #expect(post.delivered.isEmpty)
        await post.close(worker)
    }

    /// What a process was delivering when it died is delivered by another when the lease has ended, under the same id.
    @Test func aDeadProcessesMessageIsTakenUp() async throws {
        let post = try await PostOffice.open()
        try await post.put("orphan@example.com")
        let dead = try await post.queue.claim(5, of: .email, lease: 1, in: post.database)
        #expect(dead.count == 1)
        #expect(try await post.queue.claim(5, of: .email, lease: 1, in: post.database).isEmpty)
        let worker = post.work()
        #expect(try await eventually { post.delivered == ["orphan@example.com"] })
        #expect(post.ids == dead.map(\.id))
        await post.close(worker)
    }

    @Test func aSlowDeliveryKeepsItsLease() async throws {
        let post = try await PostOffice.open()
        post.holdsDeliveries = true
        let workers = [post.work(lease: 4), post.work(lease: 4)]
        try await post.put("slow@example.com")
        #expect(try await eventually { post.attempts == 1 })
        // Until it has been prolonged after its first end.
        let due = "select extract(epoch from due_at) from apus.messages"
        let end = try #require(try await post.value(due).flatMap { Double($0) })
        #expect(try await eventually { try await post.value(due).flatMap { Double($0) } ?? 0 > end + 4 })
        post.holdsDeliveries = false
        #expect(try await eventually { try await post.waiting() == 0 && !post.delivered.isEmpty })
        #expect(post.delivered == ["slow@example.com"])
        for worker in workers { await post.close(worker) }
    }

    @Test func manyWorkersSendEachMessageOnce() async throws {
        let post = try await PostOffice.open()
        let workers = (0..<4).map { _ in post.work() }
        let wanted = (0..<60).map { "user\($0)@example.com" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for address in wanted { group.addTask { try await post.put(address) } }
            try await group.waitForAll()
        }
        #expect(try await eventually { try await post.waiting() == 0 })
        #expect(post.delivered.sorted() == wanted.sorted())
        for worker in workers { await post.close(worker) }
    }

    @Test func waitsGrowAndEnd() {
        let schedule = RetrySchedule(first: 2, longest: 600)
        #expect((1.5...2.5).contains(schedule.pause(afterAttempt: 1)))
        #expect((3.0...5.0).contains(schedule.pause(afterAttempt: 2)))
        #expect((450.0...750.0).contains(schedule.pause(afterAttempt: 1_000)))
    }

    @Test func theDevelopmentInboxKeepsWhatCame() async throws {
        let post = try await PostOffice.open()
        var logger = Logger(label: "inbox")
        logger.logLevel = .critical
        let inbox = DevelopmentInbox(
            database: post.database, templates: try MessageTemplates(), logger: logger)
        let message = post.message("dev@example.com")
        try await inbox.deliver(message)
        try await inbox.deliver(message)
        let letters = try await inbox.letters()
        #expect(letters.map(\.recipient) == ["dev@example.com"] && letters.first?.code == "123456")
        await post.close()
    }
}

/// A database with a queue, and somebody who takes what is delivered.
final class PostOffice: Sendable {
    private struct State {
        var delivered: [Message] = []
        var attempts = 0
        var answer: @Sendable (_ attempt: Int) -> DeliveryFailure? = { _ in nil }
        var holdsDeliveries = false
    }

    let database: Database
    let queue = MessageQueue(seal: MessageSeal(key: SymmetricKey(size: .bits256)))
    private let state = Mutex(State())

    private init(_ database: Database) { self.database = database }

    static func open() async throws -> PostOffice {
        let cluster = try await ThrowawayCluster.shared.value
        let name = "post_\(Message.newID().prefix(8))"
        let maintenance = connect(cluster.conninfo())
        try await maintenance.query("create database \(ident: name)")
        await maintenance.shutdown()
        let database = connect(cluster.conninfo(database: name))
        try await SystemMigrator(database: database, steps: SystemStep.all(catalogEventTrigger: nil)).run()
        return PostOffice(database)
    }

    func close(_ worker: Task<Void, Never>? = nil) async {
        worker?.cancel()
        await worker?.value
    }

    func message(_ recipient: String) -> Message {
        Message(channel: .email, kind: .confirmation, recipient: recipient, values: ["Token": "123456"])
    }

    func put(_ recipient: String) async throws { try await put(message(recipient)) }

    func put(_ message: Message) async throws {
        try await database.withTransaction { try await self.queue.enqueue(message, on: $0) }
    }

    func work(slots: Int = 4, lease: Int = 30) -> Task<Void, Never> {
        let worker = MessageWorker(
            queue: queue, database: database,
            deliver: [.email: { [self] message throws(DeliveryFailure) in try await deliver(message) }],
            slots: slots,
            lease: lease, schedule: RetrySchedule(first: 0.02, longest: 0.1), logger: Self.logger)
        return Task { await worker.run() }
    }

    func onAttempt(_ answer: @escaping @Sendable (_ attempt: Int) -> DeliveryFailure?) {
        state.withLock { $0.answer = answer }
    }

    /// While it is true, no delivery comes to an end.
    var holdsDeliveries: Bool {
        get { state.withLock { $0.holdsDeliveries } }
        set { state.withLock { $0.holdsDeliveries = newValue } }
    }

    var delivered: [String] { state.withLock { $0.delivered.map(\.recipient) } }
    var ids: [String] { state.withLock { $0.delivered.map(\.id) } }
    var attempts: Int { state.withLock { $0.attempts } }

    func waiting() async throws -> Int {
        try await database.query("select count(*) from apus.messages where failed_at is null").int(0, 0) ?? -1
    }

    func value(_ query: String) async throws -> String? {
        try await database.query(SQL(trusted: query)).string(0, 0)
    }

    private func deliver(_ message: Message) async throws(DeliveryFailure) {
        let failure = state.withLock { state in
            state.attempts += 1
            return state.answer(state.attempts)
        }
        while holdsDeliveries, (try? await Task.sleep(for: .milliseconds(5))) != nil {}
        if let failure { throw failure }
        state.withLock { $0.delivered.append(message) }
    }

    private static let logger: Logger = {
        var logger = Logger(label: "messages")
        logger.logLevel = .critical
        return logger
    }()

    private static func connect(_ conninfo: String) -> Database {
        var configuration = DatabaseConfiguration(connectionString: conninfo)
        configuration.connections = 3
        return Database(configuration, logger: logger)
    }
}

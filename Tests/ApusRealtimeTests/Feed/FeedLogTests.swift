import ApusPostgres
import ApusRealtime
import Testing

@Suite struct FeedLogTests {
    @Test func `a subscriber hears every transaction in order, and how far that reaches`() async {
        let log = FeedLog(byteLimit: 1 << 20)
        log.restart(at: .end(epoch: 7, lsn: LSN(10)))
        let heard = Heard()
        let subscription = log.subscribe(from: nil) { heard.add($0) }
        for lsn in 11...60 { log.append(transaction(UInt64(lsn))) }
        await heard.until { $0.caughtUp == LSN(61) }
        #expect(heard.lsns == Array(11...60))
        #expect(subscription != nil)
    }

    @Test func `a subscriber resumes after its position, and what is gone it is told`() async {
        let size = transaction(1).byteCount
        let log = FeedLog(byteLimit: 10 * size)
        log.restart(at: .end(epoch: 7, lsn: LSN(0)))
        for lsn in 1...20 { log.append(transaction(UInt64(lsn))) }
        #expect(log.subscribe(from: .end(epoch: 7, lsn: LSN(9))) { _ in } == nil)
        #expect(log.subscribe(from: .end(epoch: 6, lsn: LSN(15))) { _ in } == nil)
        let heard = Heard()
        let subscription = log.subscribe(from: .end(epoch: 7, lsn: LSN(10))) { heard.add($0) }
        await heard.until { $0.caughtUp == LSN(21) }
        #expect(heard.lsns == Array(11...20))
        #expect(subscription != nil)
        #expect(
            log.replay(after: .end(epoch: 7, lsn: LSN(18)))?.transactions.map(\.position.lsn.value) == [
                19, 20,
            ])
    }

    @Test func `a slow subscriber falls out of the log, hears it, and holds up nobody`() async {
        let size = transaction(1).byteCount
        let log = FeedLog(byteLimit: 10 * size)
        log.restart(at: .end(epoch: 7, lsn: LSN(0)))
        let (slow, quick) = (Heard(), Heard())
        let gate = Gate()
        let first = log.subscribe(from: nil) { event in
            gate.pass()
            slow.add(event)
        }
        let second = log.subscribe(from: nil) { quick.add($0) }
        gate.close()
        for lsn in 1...500 {
            log.append(transaction(UInt64(lsn)))
            await quick.until { $0.caughtUp == LSN(UInt64(lsn + 1)) }
        }
        #expect(quick.lsns == Array(1...500))
        gate.open()
        await slow.until { $0.caughtUp == LSN(501) }
        #expect(slow.epochs == [7])
        #expect(first != nil && second != nil)
    }

    @Test func `a new epoch is said before anything of it`() async {
        let log = FeedLog(byteLimit: 1 << 20)
        let heard = Heard()
        let subscription = log.subscribe(from: nil) { heard.add($0) }
        log.restart(at: .end(epoch: 1, lsn: LSN(0)))
        log.append(transaction(5, epoch: 1))
        await heard.until { $0.caughtUp == LSN(6) }
        log.restart(at: .end(epoch: 2, lsn: LSN(100)))
        log.append(transaction(101, epoch: 2))
        await heard.until { $0.caughtUp == LSN(102) }
        #expect(heard.epochs == [1, 2])
        #expect(heard.lsns == [5, 101])
        #expect(subscription != nil)
    }

    @Test func `what a source repeats is said once`() async {
        let log = FeedLog(byteLimit: 1 << 20)
        log.restart(at: .end(epoch: 7, lsn: LSN(0)))
        let heard = Heard()
        let subscription = log.subscribe(from: nil) { heard.add($0) }
        for lsn in [1, 2, 3, 2, 3, 4] { log.append(transaction(UInt64(lsn))) }
        await heard.until { $0.caughtUp == LSN(5) }
        #expect(heard.lsns == [1, 2, 3, 4])
        #expect(subscription != nil)
    }
}

import ApusDataAPI
import ApusPostgres
import NIOCore
import Synchronization

/// One way to the database for each event loop.
final class Lanes: Sendable {
    private struct Entry {
        let loop: ObjectIdentifier
        let lane: DataLane
        let positions: WritePositions
    }

    private let data: DataAPI
    /// As many as event loops: a list is quicker than a table.
    private let entries = Mutex<[Entry]>([])

    init(data: DataAPI) { self.data = data }

    func lane(for loop: any EventLoop) -> DataLane { entry(for: loop).lane }

    /// Asks where the log is for the writes of this event loop, on which it hears, too.
    func positions(for loop: any EventLoop) -> WritePositions { entry(for: loop).positions }

    private func entry(for loop: any EventLoop) -> Entry {
        let identity = ObjectIdentifier(loop)
        return entries.withLock { entries in
            for entry in entries where entry.loop == identity { return entry }
            let lane = data.lane(of: identity) { work in loop.execute(work) }
            let made = Entry(
                loop: identity, lane: lane, positions: WritePositions { lane.submit($0, completion: $1) })
            entries.append(made)
            return made
        }
    }
}

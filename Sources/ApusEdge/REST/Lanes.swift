import ApusDataAPI
import ApusPostgres
import NIOCore
import Synchronization

/// One way to the database for each event loop.
final class Lanes: Sendable {
    private let data: DataAPI
    /// As many as event loops: a list is quicker than a table.
    private let lanes = Mutex<[(loop: ObjectIdentifier, lane: DataLane)]>([])

    init(data: DataAPI) { self.data = data }

    func lane(for loop: any EventLoop) -> DataLane {
        let identity = ObjectIdentifier(loop)
        return lanes.withLock { lanes in
            for entry in lanes where entry.loop == identity { return entry.lane }
            let made = data.lane { work in loop.execute(work) }
            lanes.append((identity, made))
            return made
        }
    }
}

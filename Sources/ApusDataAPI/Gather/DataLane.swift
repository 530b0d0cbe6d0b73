package import ApusPostgres

/// A way to the database and back for the requests of one event loop, on which reads of one shape by one caller are
/// gathered until the loop has done what it is doing.
///
/// Sendable: used on its event loop only.
package final class DataLane: @unchecked Sendable {
    let lane: Lane
    private let execute: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let send: @Sendable (GatheredReads, DataLane) -> Void
    private var waiting: [GatheredReads] = []
    private var reads = 0

    /// Reads that go before the turn ends: if all moved together, the loop and the database would only take turns.
    private static let enough = 32

    /// - Parameters:
    ///   - execute: has the event loop run something, after what it is doing now.
    ///   - send: asks the database for some reads that were gathered.
    init(
        _ lane: Lane, execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        send: @escaping @Sendable (GatheredReads, DataLane) -> Void
    ) {
        self.lane = lane
        self.execute = execute
        self.send = send
    }

    /// Runs a round trip of somebody else's; `completion` is called on the event loop, on which this has to be called.
    package func submit(
        _ trip: RoundTrip, completion: @escaping @Sendable (Result<[Rows], PostgresFault>) -> Void
    ) {
        lane.submit(trip, completion: completion)
    }

    /// Has a read wait for others like it, until the turn ends.
    ///
    /// - Parameter places: different reads that may go together.
    func gather(
        _ read: GatheredReads.Read, of compiled: CompiledRequest, _ gathering: Gathering, _ opening: Opening,
        places: Int
    ) -> GatheredReads {
        if reads == 0 { execute { self.flush() } }
        reads += 1
        let group = group(compiled, gathering, opening, places: places)
        group.add(read)
        if reads >= Self.enough { flush() }
        return group
    }

    // MARK: - Non public

    private func group(
        _ compiled: CompiledRequest, _ gathering: Gathering, _ opening: Opening, places: Int
    ) -> GatheredReads {
        for group in waiting
        where group.compiled === compiled && group.opening === opening && group.questions.count < places {
            return group
        }
        let group = GatheredReads(compiled, gathering, opening)
        waiting.append(group)
        return group
    }

    private func flush() {
        guard reads > 0 else { return }
        let groups = waiting
        waiting.removeAll(keepingCapacity: true)
        reads = 0
        for group in groups { send(group, self) }
        lane.flush()
    }
}

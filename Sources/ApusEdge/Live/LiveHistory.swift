/// The last events of a read that is followed, for those who come back. Bounded by bytes and by number.
struct LiveHistory: Sendable {
    private var entries: [(before: String, event: LiveEvent, bytes: Int)] = []
    private(set) var bytes = 0

    private static let mostBytes = 1 << 20
    private static let mostEntries = 256

    /// - Parameter before: id of the event that it follows.
    mutating func append(_ event: LiveEvent, after before: String, bytes: Int) {
        entries.append((before, event, bytes))
        self.bytes += bytes
        while let first = entries.first, self.bytes > Self.mostBytes || entries.count > Self.mostEntries {
            self.bytes -= first.bytes
            entries.removeFirst()
        }
    }

    /// What was told after the event of this id; nil when that is not known any more.
    func events(after id: String) -> [LiveEvent]? {
        entries.firstIndex { $0.before == id }.map { entries[$0...].map(\.event) }
    }
}

import ApusPostgres

/// Up to where the server is told that it may forget.
///
/// Pure. Never beyond what has been published; and somewhat behind it, in time, so that a node that starts
/// afresh reads again what clients may want to resume from. How much log that can hold back is bounded.
struct Confirmation: Sendable {
    private struct Mark: Sendable {
        var time: Int64
        var lsn: LSN
    }

    /// How far behind, in microseconds.
    let window: Int64
    /// The most log that the window holds back, in bytes.
    let byteLimit: UInt64
    private var marks: [Mark] = []
    /// What may be told.
    private(set) var position: LSN

    init(window: Int64, byteLimit: UInt64, start: LSN) {
        self.window = window
        self.byteLimit = byteLimit
        position = start
    }

    /// Notes that all up to `lsn` has been published by this time; times and positions do not go back.
    mutating func note(_ lsn: LSN, at time: Int64) {
        // Marks ten times a window: what is between two marks is held back a little longer.
        let isKnown = marks.last.map { lsn <= $0.lsn } ?? false
        if let last = marks.last, !isKnown, time - last.time < window / 10, marks.count > 1 {
            marks[marks.count - 1].lsn = lsn
        } else if !isKnown {
            marks.append(Mark(time: time, lsn: lsn))
        }
        while let first = marks.first {
            let isOld = time - first.time >= window
            let isFar = lsn.value - min(lsn.value, position.value) > byteLimit
            guard isOld || isFar else { return }
            position = max(position, first.lsn)
            marks.removeFirst()
        }
    }
}

/// What makes one list of rows of another, as a client applies it: take out every row that is named, by its key; then
/// put in each that has an index, in the order given, at that index. The outcome is the new list, order included.
package struct RowDifference: Sendable {
    /// What the feed saw of rows by their keys since the older list was read, to tell an insert from a row that came into
    /// view.
    package struct Witness: Sendable {
        private var inserted: Set<[String]> = []
        private var deleted: Set<[String]> = []
        private var updated: Set<[String]> = []

        /// More are not told apart any more.
        private static let limit = 10_000

        /// Whether nothing at all was seen, of any row.
        package private(set) var isEmpty = true

        package init() {}

        /// Something was seen, if only that much.
        package mutating func sawChange() { isEmpty = false }

        package mutating func saw(insertOf key: [String]) {
            deleted.remove(key)
            if inserted.count < Self.limit { inserted.insert(key) }
        }

        package mutating func saw(deleteOf key: [String]) {
            inserted.remove(key)
            if deleted.count < Self.limit { deleted.insert(key) }
        }

        package mutating func saw(updateOf key: [String]) {
            if updated.count < Self.limit { updated.insert(key) }
        }

        /// Whether the feed has said why this row came or went.
        func explains(_ key: [String]) -> Bool {
            inserted.contains(key) || deleted.contains(key) || updated.contains(key)
                || max(inserted.count, deleted.count, updated.count) >= Self.limit
        }

        func word(appeared key: [String]) -> String { inserted.contains(key) ? "insert" : "enter" }
        func word(disappeared key: [String]) -> String { deleted.contains(key) ? "delete" : "leave" }
    }

    /// `[{"type":"update","index":0,"row":{…}},{"type":"leave","key":{"id":7}}]`
    package let changes: [UInt8]
    package let count: Int

    /// nil when rows cannot be told apart.
    package init?(from old: LiveRows, to new: LiveRows, _ witness: Witness) {
        guard let oldRows = old.rows, let newRows = new.rows else { return nil }
        var places: [[UInt8]: Int] = [:]
        for (index, row) in oldRows.enumerated() { places[row.key] = index }
        var changes: [UInt8] = [UInt8(ascii: "[")]
        var count = 0
        func begin(_ word: String) {
            if count > 0 { changes.append(UInt8(ascii: ",")) }
            changes += Array("{\"type\":\"\(word)\",".utf8)
            count += 1
        }
        let newKeys = Set(newRows.map(\.key))
        for row in oldRows where !newKeys.contains(row.key) {
            begin(witness.word(disappeared: row.keyTexts))
            changes += Array("\"key\":{".utf8) + row.key + Array("}}".utf8)
        }
        let staying = Self.longestRun(newRows.compactMap { places[$0.key] })
        for (index, row) in newRows.enumerated() {
            let word: String
            if let place = places[row.key] {
                let isSame = old.body[oldRows[place].range] == new.body[row.range]
                if isSame, staying.contains(place) { continue }
                word = "update"
            } else {
                word = witness.word(appeared: row.keyTexts)
            }
            begin(word)
            changes += Array("\"index\":\(index),\"row\":".utf8) + new.body[row.range] + [UInt8(ascii: "}")]
        }
        changes.append(UInt8(ascii: "]"))
        self.changes = changes
        self.count = count
    }

    /// Whether the feed has said why rows came or went. It may say so a moment after a read has shown it; where as
    /// many rows came as went, a limit may be the reason, and nothing more is expected.
    package static func isExplained(from old: LiveRows, to new: LiveRows, _ witness: Witness) -> Bool {
        guard let oldRows = old.rows, let newRows = new.rows, oldRows.count != newRows.count else {
            return true
        }
        let (oldKeys, newKeys) = (Set(oldRows.map(\.key)), Set(newRows.map(\.key)))
        return oldRows.allSatisfy { newKeys.contains($0.key) || witness.explains($0.keyTexts) }
            && newRows.allSatisfy { oldKeys.contains($0.key) || witness.explains($0.keyTexts) }
    }

    /// The longest ascending run of numbers, not necessarily next to each other: the rows that keep their order.
    private static func longestRun(_ numbers: [Int]) -> Set<Int> {
        var tails: [Int] = []
        var before: [Int?] = []
        for (index, number) in numbers.enumerated() {
            var (low, high) = (0, tails.count)
            while low < high {
                let middle = (low + high) / 2
                if numbers[tails[middle]] < number { low = middle + 1 } else { high = middle }
            }
            before.append(low > 0 ? tails[low - 1] : nil)
            if low == tails.count { tails.append(index) } else { tails[low] = index }
        }
        var run: Set<Int> = []
        var index = tails.last
        while let current = index {
            run.insert(numbers[current])
            index = before[current]
        }
        return run
    }
}

/// Where a column of a view comes from, as PostgreSQL's parser noted it (`TargetEntry`, primnodes.h).
struct ViewColumnOrigin: Sendable, Hashable {
    /// Column number in the view.
    let column: Int
    /// Table or view that the column is taken from unchanged.
    let table: UInt32
    /// Column number there.
    let tableColumn: Int

    /// Reads the target list of the first query of a rule's action (`pg_rewrite.ev_action`).
    ///
    /// A `pg_node_tree` is text: `({QUERY … :targetList ({TARGETENTRY … :resno 1 … :resorigtbl 16707
    /// :resorigcol 1 :resjunk false} …) …})`. Fields differ between versions of PostgreSQL; brackets and the
    /// names of these do not, so it suffices to know how deep one is: the query's fields lie two brackets deep,
    /// those of its target entries four. What lies deeper belongs to expressions and subqueries. A backslash
    /// takes the meaning from the byte after it (`outToken`, outfuncs.c).
    static func read(tree: UnsafeRawBufferPointer) -> [ViewColumnOrigin] {
        var scanner = NodeTreeScanner(tree)
        guard scanner.skip(toField: "targetList", depth: 2) else { return [] }
        var origins: [ViewColumnOrigin] = []
        var entry = Entry()
        while let token = scanner.next() {
            switch token {
            case .open: break
            case .close where scanner.depth < 3: return origins
            case .close where scanner.depth == 3:
                if let origin = entry.origin { origins.append(origin) }
                entry = Entry()
            case .close: break
            case .field(let range) where scanner.depth == 4:
                entry.take(field: range, from: &scanner)
            case .field, .word: if scanner.depth < 3 { return origins }
            }
        }
        return origins
    }

    private struct Entry {
        var column = 0
        var table = 0
        var tableColumn = 0
        var isJunk = false

        var origin: ViewColumnOrigin? {
            guard !isJunk, column > 0, tableColumn > 0, let table = UInt32(exactly: table), table > 0 else {
                return nil
            }
            return ViewColumnOrigin(column: column, table: table, tableColumn: tableColumn)
        }

        mutating func take(field: Range<Int>, from scanner: inout NodeTreeScanner) {
            if scanner.text(field, is: "resno") {
                column = scanner.integer()
            } else if scanner.text(field, is: "resorigtbl") {
                table = scanner.integer()
            } else if scanner.text(field, is: "resorigcol") {
                tableColumn = scanner.integer()
            } else if scanner.text(field, is: "resjunk") {
                isJunk = scanner.isTrue()
            }
        }
    }
}

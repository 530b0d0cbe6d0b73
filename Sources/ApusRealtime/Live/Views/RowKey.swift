import ApusPostgres

/// Names a row by a hash of its key's values: two rows may have one name, one row never has two.
package struct RowKey: Sendable, Hashable {
    let hash: UInt64

    /// - Parameter texts: the key's values in the order of its columns, as PostgreSQL's text shows them.
    package init(_ texts: some Sequence<some Collection<UInt8>>) {
        var hash = ContentHash()
        for text in texts { hash.add(Array(text)) }
        self.hash = hash.finish()
    }

    /// Whether JSON shows a value of this type by the same characters as its text, but for quotes around it.
    package static func isPlain(typeOID: UInt32) -> Bool { [20, 21, 23, 25, 1043, 2950].contains(typeOID) }

    /// The names of the rows of a change, before and after; nil when they cannot be said.
    ///
    /// - Parameter columns: names of the primary key's columns.
    static func names(of change: RowChange, key columns: [String]) -> Set<RowKey>? {
        // With another identity, a change of the primary key brings no old one along.
        guard change.relation.replicaIdentity == .default || change.oldIsWhole else { return nil }
        var names: Set<RowKey> = []
        for row in [change.old, change.new] {
            guard let row else { continue }
            var texts: [ArraySlice<UInt8>] = []
            for column in columns {
                guard let index = change.relation.columnIndex(column), row.indices.contains(index),
                    case .text(let text) = row[index],
                    isPlain(typeOID: change.relation.columns[index].typeOID),
                    text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
                else { return nil }
                texts.append(text)
            }
            names.insert(RowKey(texts))
        }
        return names.isEmpty ? nil : names
    }
}

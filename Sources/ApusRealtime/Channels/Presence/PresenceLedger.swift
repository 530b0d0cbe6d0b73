import ApusJSON

/// Who is present on one topic. Pure: changes come in, differences come out.
///
/// Every tracked state has a reference of its own (`phx_ref`), so that a key that is present twice leaves only when
/// both are gone.
package struct PresenceLedger: Sendable {
    /// One tracked state.
    package struct Entry: Sendable, Equatable {
        /// Unique on all nodes.
        package var reference: String
        package var key: String
        /// JSON of an object.
        package var payload: [UInt8]

        package init(reference: String, key: String, payload: [UInt8]) {
            self.reference = reference
            self.key = key
            self.payload = payload
        }
    }

    /// What others are told.
    package struct Difference: Sendable, Equatable {
        package var joins: [Entry]
        package var leaves: [Entry]

        package init(joins: [Entry] = [], leaves: [Entry] = []) {
            self.joins = joins
            self.leaves = leaves
        }

        package var isEmpty: Bool { joins.isEmpty && leaves.isEmpty }

        /// `{"joins":{…},"leaves":{…}}`
        package var json: [UInt8] {
            Array(#"{"joins":"#.utf8) + PresenceLedger.json(joins) + Array(#","leaves":"#.utf8)
                + PresenceLedger.json(leaves) + [UInt8(ascii: "}")]
        }
    }

    /// By who tracks: a member of the channel on this node, or an entry that another node told of.
    private var entries: [Owner: Entry] = [:]

    package init() {}

    /// Who stands behind an entry.
    package enum Owner: Sendable, Hashable {
        /// A member on this node.
        case member(UInt64)
        /// A member on another node, by its reference there.
        case remote(node: String, member: UInt64)
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    /// Starts or replaces what `owner` tracks. Replacing is a leave of the old state and a join of the new one.
    package mutating func track(_ owner: Owner, _ entry: Entry) -> Difference {
        let old = entries.updateValue(entry, forKey: owner)
        if old == entry { return Difference() }
        return Difference(joins: [entry], leaves: old.map { [$0] } ?? [])
    }

    package mutating func untrack(_ owner: Owner) -> Difference {
        Difference(leaves: entries.removeValue(forKey: owner).map { [$0] } ?? [])
    }

    /// Takes away what a node told of, but for these members: it is gone, or has told afresh.
    package mutating func forget(node: String, but kept: Set<UInt64> = []) -> Difference {
        var leaves: [Entry] = []
        for (owner, entry) in entries {
            if case .remote(node, let member) = owner, !kept.contains(member) {
                leaves.append(entry)
                entries[owner] = nil
            }
        }
        return Difference(leaves: leaves)
    }

    /// The entries of this node's members, for nodes that ask.
    package var own: [(member: UInt64, entry: Entry)] {
        entries.compactMap { owner, entry in
            if case .member(let member) = owner { (member, entry) } else { nil }
        }
    }

    /// `{key: {"metas": [{"phx_ref": …, …}]}}`, the payload of `presence_state`.
    package var json: [UInt8] { Self.json(Array(entries.values)) }

    // MARK: - Non public

    static func json(_ entries: [Entry]) -> [UInt8] {
        var byKey: [String: [Entry]] = [:]
        for entry in entries { byKey[entry.key, default: []].append(entry) }
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (key, metas) in byKey.sorted(by: { $0.key < $1.key }) {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            appendJSONString(key, to: &bytes)
            bytes += Array(#":{"metas":["#.utf8)
            for (index, entry) in metas.sorted(by: { $0.reference < $1.reference }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(entry, to: &bytes)
            }
            bytes += Array("]}".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The tracked object with its reference in front.
    private static func append(_ entry: Entry, to bytes: inout [UInt8]) {
        bytes += Array(#"{"phx_ref":"#.utf8)
        appendJSONString(entry.reference, to: &bytes)
        let members = entry.payload.dropFirst().drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        if members.first != UInt8(ascii: "}") { bytes.append(UInt8(ascii: ",")) }
        bytes += members
    }
}

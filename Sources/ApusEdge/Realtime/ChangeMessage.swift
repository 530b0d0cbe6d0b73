import ApusHTTP
import ApusJSON
import ApusPostgres
import ApusRealtime

/// The messages of one change: each different one is made once, however many get it.
struct ChangeMessage {
    /// What of a subscriber decides about the bytes that it gets, beside its number and what it may see.
    final class Form: Sendable {
        let topic: String
        let version: ChannelVersion
        /// The columns that are wanted; nil for all.
        let select: Set<String>?
        /// Equal for equal forms.
        let key: Key

        init(topic: String, version: ChannelVersion, select: [String]?) {
            self.topic = topic
            self.version = version
            self.select = select.map { Set($0) }
            key = Key(topic: topic, version: version, select: self.select)
        }

        struct Key: Hashable {
            var topic: String
            var version: ChannelVersion
            var select: Set<String>?
        }
    }

    private struct Made: Hashable {
        var form: Form.Key
        var bindings: [Int]
        var view: View
    }

    /// What is shown of the rows.
    private struct View: Hashable {
        var columns: [Bool]
        var select: Set<String>?
        var showsOldRow: Bool
    }

    private let delivery: RowDelivery
    private let rowBytes: Int
    private var messages: [Made: WebSocketMessage] = [:]
    private var bodies: [View: [UInt8]] = [:]

    init(_ delivery: RowDelivery, rowBytes: Int) {
        self.delivery = delivery
        self.rowBytes = rowBytes
    }

    mutating func message(
        _ form: Form, bindings: [Int], _ recipient: RowDelivery.Recipient
    ) -> WebSocketMessage {
        let view = View(
            columns: recipient.columns, select: form.select,
            showsOldRow: delivery.change.oldIsWhole && recipient.before == .seen)
        let key = Made(form: form.key, bindings: bindings, view: view)
        if let known = messages[key] { return known }
        let body = bodies[view] ?? data(view)
        bodies[view] = body
        var payload = Array(#"{"data":"#.utf8)
        payload.reserveCapacity(body.count + 64)
        payload += body
        payload += Array(#","ids":["#.utf8)
        payload += Array(bindings.map(String.init).joined(separator: ",").utf8)
        payload += Array("]}".utf8)
        let made = WebSocketMessage.text(
            ServerFrames.text(
                form.version, topic: form.topic, event: "postgres_changes", payload: payload))
        messages[key] = made
        return made
    }

    // MARK: - Non public

    private func data(_ view: View) -> [UInt8] {
        let change = delivery.change
        let relation = change.relation
        let columns = shown(view)
        let keys = columns.filter { relation.columns[$0].isKey || isPrimaryKey($0) }
        var record = change.new.map { RowJSON.object(withOldToast($0), relation, columns: columns) }
        var old: [UInt8]?
        switch change.kind {
        case .insert, .truncate: break
        case .update, .delete:
            let values = change.old ?? change.new ?? []
            old = RowJSON.object(values, relation, columns: view.showsOldRow ? columns : keys)
        }
        var errors = "null"
        if (record?.count ?? 0) + (old?.count ?? 0) > rowBytes {
            errors = #"["Error 413: Payload Too Large"]"#
            record = change.new.map { RowJSON.object(small($0), relation, columns: columns) }
            if old != nil {
                old = RowJSON.object(small(change.old ?? change.new ?? []), relation, columns: keys)
            }
        }
        return Self.json(
            delivery, columns: columns.map { relation.columns[$0] }, record: record, old: old, errors: errors)
    }

    private static func json(
        _ delivery: RowDelivery, columns: [FeedRelation.Column], record: [UInt8]?, old: [UInt8]?,
        errors: String
    ) -> [UInt8] {
        let change = delivery.change
        var bytes = Array(#"{"schema":"#.utf8)
        appendJSONString(change.relation.schema, to: &bytes)
        bytes += Array(#","table":"#.utf8)
        appendJSONString(change.relation.name, to: &bytes)
        bytes += Array(#","type":"\#(word(change.kind))","commit_timestamp":""#.utf8)
        bytes += Array(CommitTime.text(delivery.transaction.commitTime).utf8)
        bytes += Array(#"","errors":\#(errors),"columns":["#.utf8)
        for (index, column) in columns.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += Array(#"{"name":"#.utf8)
            appendJSONString(column.name, to: &bytes)
            bytes += Array(#","type":"#.utf8)
            appendJSONString(column.typeName, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
        if let record { bytes += Array(#","record":"#.utf8) + record }
        if let old { bytes += Array(#","old_record":"#.utf8) + old }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func word(_ kind: RowChange.Kind) -> String {
        switch kind {
        case .insert: "INSERT"
        case .update: "UPDATE"
        case .delete: "DELETE"
        case .truncate: "TRUNCATE"
        }
    }

    /// Indexes of the relation's columns that the subscriber may read and wants; a key is always wanted.
    private func shown(_ view: View) -> [Int] {
        let relation = delivery.change.relation
        return relation.columns.indices.filter { index in
            let name = relation.columns[index].name
            guard let place = delivery.table.columnIndex(name), place < view.columns.count,
                view.columns[place]
            else { return false }
            return view.select.map { $0.contains(name) || isPrimaryKey(index) } ?? true
        }
    }

    private func isPrimaryKey(_ index: Int) -> Bool {
        delivery.table.key.contains(delivery.change.relation.columns[index].name)
    }

    /// Large values that an update did not touch are the old row's, where that travelled.
    private func withOldToast(_ values: [FeedValue]) -> [FeedValue] {
        guard delivery.change.oldIsWhole, let old = delivery.change.old, old.count == values.count else {
            return values
        }
        return values.indices.map { values[$0] == .unchangedToast ? old[$0] : values[$0] }
    }

    /// Values of at the most 64 bytes; the others are left out.
    private func small(_ values: [FeedValue]) -> [FeedValue] {
        values.map { value in
            if case .text(let text) = value, text.count > 64 { return .unchangedToast }
            return value
        }
    }
}

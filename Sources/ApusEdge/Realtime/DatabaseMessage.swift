import ApusJSON
import ApusPostgres
import ApusRealtime

/// Broadcasts that the database sends: rows inserted into `realtime.messages`.
enum DatabaseMessage {
    /// nil for a change that is none.
    static func broadcast(of change: RowChange) -> (TopicKey, Broadcast)? {
        guard change.kind == .insert, change.relation.schema == "realtime",
            change.relation.name.hasPrefix("messages"), let row = change.new
        else { return nil }
        func text(_ name: String) -> ArraySlice<UInt8>? {
            guard let index = change.relation.columnIndex(name), index < row.count,
                case .text(let bytes) = row[index]
            else { return nil }
            return bytes
        }
        guard let topic = text("topic"), text("extension")?.elementsEqual("broadcast".utf8) == true else {
            return nil
        }
        let isPrivate = text("private")?.first == UInt8(ascii: "t")
        return (
            TopicKey(name: String(decoding: topic, as: UTF8.self), isPrivate: isPrivate),
            Broadcast(
                event: text("event").map { String(decoding: $0, as: UTF8.self) } ?? "",
                payload: .json(text("payload") ?? Array("{}".utf8)[...]), form: .user,
                id: text("id").map { String(decoding: $0, as: UTF8.self) })
        )
    }
}

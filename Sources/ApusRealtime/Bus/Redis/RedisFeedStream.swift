import ApusPostgres
import NIOCore

/// The feed as a Redis Stream, one an epoch: an entry is a transaction or a part of one, under an id made of its
/// commit's LSN and the index of its first change. So Redis itself keeps the order and refuses repetitions, and a
/// node resumes by LSN.
struct RedisFeedStream: Sendable {
    /// An entry's id. Ordered as the feed is.
    struct ID: Sendable, Comparable {
        var lsn: UInt64
        var index: UInt64

        init(_ position: FeedPosition) {
            lsn = position.lsn.value
            index = UInt64(clamping: position.index)
        }

        /// As Redis writes it: `123-0`.
        init?(_ text: String?) {
            guard let parts = text?.split(separator: "-"), parts.count == 2, let lsn = UInt64(parts[0]),
                let index = UInt64(parts[1])
            else { return nil }
            (self.lsn, self.index) = (lsn, index)
        }

        var text: String { "\(lsn)-\(index)" }

        static func < (left: ID, right: ID) -> Bool {
            (left.lsn, left.index) < (right.lsn, right.index)
        }
    }

    /// How far the feed has come, and the last entry that belongs to that.
    struct Progress: Sendable {
        var last: ID?
        var caughtUp: LSN

        var text: String { "\(last?.text ?? "-") \(caughtUp.value)" }

        init(last: ID?, caughtUp: LSN) {
            self.last = last
            self.caughtUp = caughtUp
        }

        init?(_ text: String?) {
            guard let parts = text?.split(separator: " "), parts.count == 2, let lsn = UInt64(parts[1]) else {
                return nil
            }
            last = ID(String(parts[0]))
            caughtUp = LSN(lsn)
        }
    }

    let connection: RedisConnection
    let prefix: String
    let epoch: UInt64

    private var key: [UInt8] { Array("\(prefix):feed:\(epoch)".utf8) }
    private var progressKey: [UInt8] { Array("\(prefix):feed:\(epoch):at".utf8) }

    /// Appends in one step what follows the entry `expected`; otherwise nothing. One script, because between
    /// looking and writing another node may write. A stream that has lost its end (`XTRIM`, `XDEL`) still refuses what it
    /// once had, so it is made anew.
    private static let appending = Array(
        """
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
        local top = last[1] and last[1][1] or ''
        if top ~= ARGV[1] then return {0, top} end
        for i = 5, #ARGV, 2 do
            local added = redis.pcall('XADD', KEYS[1], ARGV[i], 'd', ARGV[i + 1])
            if type(added) == 'table' and added.err then
                if not string.find(added.err, 'equal or smaller') then return added end
                redis.call('DEL', KEYS[1])
                return {0, ''}
            end
        end
        if ARGV[2] ~= '' then redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[2]) end
        redis.call('SET', KEYS[2], ARGV[3])
        redis.call('EXPIRE', KEYS[1], ARGV[4])
        redis.call('EXPIRE', KEYS[2], ARGV[4])
        return {1, top}
        """.utf8)

    /// How long an epoch's keys stay after the last use, in seconds.
    private static let lifetime = 86_400

    /// Appends entries after `expected`.
    ///
    /// - Returns: the last entry that is there, when it is not `expected`; then nothing was appended.
    func append(
        _ entries: [(id: ID, bytes: [UInt8])], after expected: ID?, keepFrom: ID?, progress: Progress
    ) async throws -> (appended: Bool, top: ID?) {
        var words: [[UInt8]] = [Array("EVAL".utf8), Self.appending, [UInt8(ascii: "2")], key, progressKey]
        words += [expected?.text ?? "", keepFrom?.text ?? "", progress.text, "\(Self.lifetime)"].map {
            Array($0.utf8)
        }
        for entry in entries {
            words.append(Array(entry.id.text.utf8))
            words.append(entry.bytes)
        }
        guard let items = try await connection.send(words).items, items.count == 2 else {
            throw RedisFailure.malformed
        }
        return (items[0] == .integer(1), ID(items[1].text))
    }

    /// The entries after `id`, waiting for them for at most `milliseconds`, or not at all.
    func read(after id: ID?, waiting milliseconds: Int?) async throws -> [[UInt8]] {
        var words = ["XREAD", "COUNT", "64"]
        if let milliseconds { words += ["BLOCK", "\(milliseconds)"] }
        var command = (words + ["STREAMS"]).map { Array($0.utf8) }
        command += [key, Array((id?.text ?? "0-0").utf8)]
        let answer = try await connection.send(
            command, within: .milliseconds(Int64(milliseconds ?? 0) + 5_000))
        guard let entries = answer.items?.first?.items?.last?.items else { return [] }
        return try entries.map { entry in
            guard let fields = entry.items?.last?.items, fields.count == 2, let bytes = fields[1].bytes else {
                throw RedisFailure.malformed
            }
            return bytes
        }
    }

    /// How far the feed has come; nil before anything was published.
    func progress() async throws -> Progress? {
        Progress(try await connection.send([Array("GET".utf8), progressKey]).text)
    }
}

/// The pieces of a large transaction that is in progress: in memory at first, then in a temporary file that
/// has no name and is gone when the process ends, however it ends.
final class TransactionSpool {
    struct Settings: Sendable {
        /// Of the temporary file.
        var directory = "/tmp"
        /// How much of a transaction is held in memory, in bytes.
        var memoryBytes = 1 << 20
    }

    private let settings: Settings
    private var buffer: [UInt8] = []
    private var file: SpillFile?
    private var aborted: Set<UInt32> = []

    init(_ settings: Settings) { self.settings = settings }

    /// Whether it has grown out of memory.
    var isSpilled: Bool { file != nil }

    func append(_ message: [UInt8]) throws(FeedFailure) {
        withUnsafeBytes(of: UInt32(message.count)) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: message)
        guard buffer.count > settings.memoryBytes else { return }
        let file: SpillFile
        if let begun = self.file { file = begun } else { file = try SpillFile(directory: settings.directory) }
        self.file = file
        try file.append(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    func abort(_ subtransaction: UInt32) { aborted.insert(subtransaction) }

    func isAborted(_ subtransaction: UInt32) -> Bool { aborted.contains(subtransaction) }

    /// Reads what was appended, from the beginning; nothing may be appended any more.
    func read() throws(FeedFailure) -> Reading {
        guard let file else { return Reading(file: nil, buffer: buffer) }
        try file.append(buffer)
        buffer = []
        return Reading(file: file, buffer: [])
    }

    /// A way through the messages.
    struct Reading {
        private static let chunk = 256 << 10
        private let file: SpillFile?
        private var buffer: [UInt8]
        private var offset = 0
        private var fileOffset = 0

        fileprivate init(file: SpillFile?, buffer: [UInt8]) {
            self.file = file
            self.buffer = buffer
        }

        /// The next message; nil at the end.
        mutating func next() throws(FeedFailure) -> [UInt8]? {
            guard try fill(4) else { return nil }
            let length = buffer[offset..<offset + 4].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
            guard try fill(4 + Int(length)) else { return nil }
            defer { offset += 4 + Int(length) }
            return Array(buffer[offset + 4..<offset + 4 + Int(length)])
        }

        /// Sees to it that this many bytes are there; false at the end.
        private mutating func fill(_ count: Int) throws(FeedFailure) -> Bool {
            if buffer.count - offset >= count { return true }
            guard let file else { return false }
            buffer.removeFirst(offset)
            offset = 0
            while buffer.count < count {
                let bytes = try file.read(at: fileOffset, max(Self.chunk, count - buffer.count))
                if bytes.isEmpty { return false }
                fileOffset += bytes.count
                buffer.append(contentsOf: bytes)
            }
            return true
        }
    }
}

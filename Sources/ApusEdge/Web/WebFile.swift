import Crypto
import NIOCore
import Synchronization

/// A file as it is sent.
struct WebFile: Sendable {
    let bytes: ByteBuffer
    let mediaType: String
    /// Strong (RFC 9110 §8.8.3): made of the bytes, so equal on all nodes and after a deployment that changes nothing.
    let tag: String

    init(bytes: ByteBuffer, name: String) {
        self.bytes = bytes
        mediaType = WebMediaType.of(name)
        var hasher = SHA256()
        bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        let digest = hasher.finalize().prefix(16)
        tag = "\"" + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\""
    }
}

/// Files that were asked for lately, in memory, up to a bound.
final class WebShelf: Sendable {
    private struct Entry {
        var file: WebFile
        var state: FileState
        var used: UInt64
    }

    private struct Contents {
        var entries: [WebPath: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0

        mutating func drop(_ path: WebPath) {
            guard let entry = entries.removeValue(forKey: path) else { return }
            bytes -= entry.file.bytes.readableBytes
        }
    }

    private let limit: Int
    private let contents = Mutex(Contents())

    /// - Parameter limit: most bytes of files that are kept.
    init(limit: Int) { self.limit = limit }

    /// The file, if it is kept in this state.
    func find(_ path: WebPath, _ state: FileState) -> WebFile? {
        contents.withLock { contents in
            guard let entry = contents.entries[path], entry.state == state else { return nil }
            contents.clock += 1
            contents.entries[path]?.used = contents.clock
            return entry.file
        }
    }

    /// Keeps a file instead of what was kept for the path; what was not asked for longest makes room.
    func keep(_ file: WebFile, _ path: WebPath, _ state: FileState) {
        guard file.bytes.readableBytes <= limit else { return }
        contents.withLock { contents in
            contents.drop(path)
            while contents.bytes + file.bytes.readableBytes > limit,
                let oldest = contents.entries.min(by: { $0.value.used < $1.value.used })?.key
            {
                contents.drop(oldest)
            }
            contents.clock += 1
            contents.entries[path] = Entry(file: file, state: state, used: contents.clock)
            contents.bytes += file.bytes.readableBytes
        }
    }
}

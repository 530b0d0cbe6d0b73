import ApusAuth
import ApusFaults
import ApusJSON
import Crypto
import Foundation

/// A file to import from, read piece by piece.
final class ImportFile {
    let size: Int
    private let handle: FileHandle

    init(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path), let size = try? handle.seekToEnd() else {
            throw Fault(
                code: "APUS044", kind: .notFound, message: "The file '\(path)' cannot be read.",
                hint: "Make one with: firebase auth:export users.json --format=json")
        }
        self.handle = handle
        self.size = Int(size)
    }

    deinit { try? handle.close() }

    /// Bytes from an offset on; empty at the end.
    func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
        try handle.seek(toOffset: UInt64(offset))
        return Array(try handle.read(upToCount: count) ?? Data())
    }

    /// Names the content: its size, and a digest of its first and last 64 KiB.
    func fingerprint() throws -> String {
        let length = 1 << 16
        let ends = try read(0, length) + read(max(0, size - length), length)
        return "\(size)-" + Hexadecimal.encode(SHA256.hash(data: ends).prefix(16))
    }
}

/// A file with a line of JSON per user that needs a look; lines are added to what is there, so that a run that goes on
/// loses none.
final class ImportNotes {
    private let handle: FileHandle

    init(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw Fault(code: "APUS045", kind: .invalid, message: "The report '\(path)' cannot be written.")
        }
        try handle.seekToEnd()
        self.handle = handle
    }

    deinit { try? handle.close() }

    func write(_ event: FirebaseImport.Event) {
        guard case .note(let note) = event else { return }
        var line: JSONObject = ["uid": .string(note.uid), "problem": .string(note.about.rawValue)]
        if !note.detail.isEmpty { line["detail"] = .string(note.detail) }
        try? handle.write(contentsOf: Data(JSONValue.object(line).bytes + [0x0A]))
    }
}

/// A bar on a terminal, nothing elsewhere.
struct ImportProgress {
    private let size: Int
    private let isTerminal = Terminal.showsProgress
    private let start = ContinuousClock.now
    private var first = 0
    private var isShown = false

    init(size: Int) { self.size = size }

    mutating func show(_ event: FirebaseImport.Event) {
        switch event {
        case .resumed(let offset, let report):
            first = report[.read]
            Terminal.print("Going on at byte \(offset): \(report[.read]) users were read before.")
        case .progress(let offset, let report):
            guard isTerminal else { return }
            isShown = true
            let width = 30
            let filled = size > 0 ? min(width, width * offset / size) : width
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
            let seconds = max(0.001, (ContinuousClock.now - start) / .seconds(1))
            let rate = Int(Double(report[.read] - first) / seconds)
            Terminal.progress("\r\u{1B}[Kimporting \(bar) \(report[.read]) users, \(rate)/s")
        case .note: break
        }
    }

    mutating func end() {
        if isShown { Terminal.progress("\n") }
        isShown = false
    }
}

import ApusTestSupport
import Foundation

/// The binary under test, and other programs.
enum Program {
    /// `APUS_BINARY`, or what was built together with these tests.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["APUS_BINARY"] { return named }
        // The test bundle lies beside the products; the path of the process is that of the test runner.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("apus").path
    }()

    /// Without settings of the caller's, which would lead the server elsewhere.
    static let environment: [String: String] = {
        var kept = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("APUS_") || name == "APUS_POSTGRES_BIN"
        }
        kept["DATABASE_URL"] = nil
        if let binaries = ProcessInfo.processInfo.environment["APUS_TEST_PG_BIN"] {
            kept["APUS_POSTGRES_BIN"] = binaries
        }
        return kept
    }()

    /// Runs the binary with these arguments to its end.
    static func run(
        _ arguments: [String], in directory: String, environment: [String: String] = environment
    ) async throws -> ServerProcess.Outcome {
        try await run(executable: path, arguments, in: directory, environment: environment)
    }

    /// Runs a program to its end.
    static func run(
        executable: String, _ arguments: [String], in directory: String,
        environment: [String: String] = environment
    ) async throws -> ServerProcess.Outcome {
        let name = directory + "/" + UUID().uuidString
        let output = try FileHandle(forWritingTo: Scratch.file(name + ".out"))
        let errors = try FileHandle(forWritingTo: Scratch.file(name + ".err"))
        defer {
            unlink(name + ".out")
            unlink(name + ".err")
        }
        let child = try ChildProcess(
            executable, arguments, environment: environment, directory: directory,
            streams: .init(output: output.fileDescriptor, errors: errors.fileDescriptor))
        let status = await child.end()
        return ServerProcess.Outcome(
            status: status, output: try Scratch.text(name + ".out"), errors: try Scratch.text(name + ".err"))
    }
}

/// Directories and files that go with the test.
enum Scratch {
    /// A new one that other users may pass through: PostgreSQL refuses to be root.
    static func directory() throws -> String {
        var template = Array("/tmp/apus-process-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no temporary directory") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o711)
        return path
    }

    static func remove(_ directory: String) { try? FileManager.default.removeItem(atPath: directory) }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    }

    /// A file, made when it is not there.
    static func file(_ path: String) throws -> URL {
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw Failure("cannot write \(path)")
            }
        }
        return URL(fileURLWithPath: path)
    }
}

/// Requests by curl, a client that we did not write.
enum Curl {
    struct Answer: Sendable {
        /// 0: there was none.
        var status: Int
        var version: String
        var body: String
    }

    static func get(_ url: String, _ options: [String] = []) async throws -> Answer {
        let marks = "\n%{http_code} %{http_version}"
        let outcome = try await Program.run(
            executable: "/usr/bin/env",
            ["curl", "-s", "--globoff", "--max-time", "30", "-w", marks] + options + [url], in: "/tmp")
        guard let end = outcome.output.lastIndex(of: "\n") else {
            return Answer(status: 0, version: "", body: outcome.errors)
        }
        let words = outcome.output[outcome.output.index(after: end)...].split(separator: " ")
        return Answer(
            status: words.first.flatMap { Int($0) } ?? 0, version: words.last.map(String.init) ?? "",
            body: String(outcome.output[..<end]))
    }
}

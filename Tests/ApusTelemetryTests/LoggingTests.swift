import Foundation
import Logging
import Testing

@testable import ApusTelemetry

@Suite struct LoggingTests {
    /// A pipe to log into.
    private final class Wire {
        let pipe = Pipe()

        var output: LogOutput { LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor) }

        /// Everything that was written; nothing can be written after.
        func close() throws -> String {
            try pipe.fileHandleForWriting.close()
            return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
    }

    /// The one line that `body` logs.
    private func line(
        _ format: LogFormat, provider: Logger.MetadataProvider? = nil, _ body: (inout Logger) -> Void
    ) throws -> String {
        let wire = Wire()
        let output = wire.output
        var logger = Logger(label: "apus.test") { label in
            LineLogHandler(
                label: label, format: format, level: .trace, output: output, metadataProvider: provider,
                clock: { LogTime(microseconds: 1_709_197_503_000_042) })
        }
        body(&logger)
        return try wire.close()
    }

    private func json(
        provider: Logger.MetadataProvider? = nil, _ body: (inout Logger) -> Void
    ) throws -> [String: Any] {
        let text = try line(.jsonLines, provider: provider, body)
        #expect(text.hasSuffix("}\n") && text.filter { $0 == "\n" }.count == 1)
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    // MARK: - JSON

    @Test("fields, and metadata from logger, provider and call, the nearest winning")
    func fields() throws {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        let object = try json(provider: provider) { logger in
            logger[metadataKey: "a"] = "logger"
            logger[metadataKey: "c"] = "logger"
            logger.warning(
                "hello", metadata: ["b": "call", "n": .stringConvertible(42), "ok": .stringConvertible(true)])
        }
        #expect(object["ts"] as? String == "2024-02-29T09:05:03.000042Z")
        #expect(object["level"] as? String == "warning")
        #expect(object["msg"] as? String == "hello")
        #expect(object["label"] as? String == "apus.test")
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["a"] as? String == "provider")
        #expect(metadata["b"] as? String == "call")
        #expect(metadata["c"] as? String == "logger")
        #expect(metadata["n"] as? Int == 42)
        #expect(metadata["ok"] as? Bool == true)
    }

    @Test("whatever is in a message, it is one line of valid JSON that says the same")
    func escaping() throws {
        let hostile = "\"}\n{\"level\":\"info\"\\ \u{0}\u{1}\u{1F}\t\r\u{2028}\u{1F600}"
        let object = try json { $0.info("\(hostile)", metadata: ["\(hostile)": "\(hostile)"]) }
        #expect(object["msg"] as? String == hostile)
        #expect((object["metadata"] as? [String: String]) == [hostile: hostile])
    }

    @Test("nested metadata stays nested")
    func nested() throws {
        let object = try json { $0.info("x", metadata: ["list": ["a", ["k": "v"]], "empty": [:]]) }
        let metadata = try #require(object["metadata"] as? [String: Any])
        let list = try #require(metadata["list"] as? [Any])
        #expect(list[0] as? String == "a" && (list[1] as? [String: String]) == ["k": "v"])
        #expect((metadata["empty"] as? [String: String])?.isEmpty == true)
    }

    // MARK: - Terminal

    @Test("a line for people, the request first")
    func terminal() throws {
        let text = try line(.terminal(colours: false)) {
            $0.notice("listening", metadata: ["port": "3000", "a": "two words", "request_id": "r1"])
        }
        #expect(text == "09:05:03.000 NOTE  apus.test: listening request_id=r1 a=\"two words\" port=3000\n")
    }

    @Test("colours only when asked for")
    func colours() throws {
        #expect(try line(.terminal(colours: true)) { $0.error("x") }.contains("\u{1B}[31mERROR\u{1B}[0m"))
        #expect(try !line(.terminal(colours: false)) { $0.error("x") }.contains("\u{1B}"))
    }

    @Test("nobody's words move the cursor or begin a line")
    func controlCharacters() throws {
        let text = try line(.terminal(colours: false)) {
            $0.info("a\u{1B}[2Jb\r\u{9B}31m\n09:05:03.000 ERROR forged", metadata: ["k\u{7}": "v\u{8}"])
        }
        #expect(
            !text.unicodeScalars.contains {
                $0.value < 0x20 && $0 != "\n" || (0x7F..<0xA0).contains($0.value)
            })
        #expect(text.contains("a\\u{1b}[2Jb\\u{d}\\u{9b}31m\n    09:05:03.000 ERROR forged"))
    }

    @Test("a pipe is a machine; NO_COLOR and TERM=dumb are respected at a terminal")
    func detection() throws {
        let wire = Wire()
        #expect(
            LogFormat.detected(descriptor: wire.pipe.fileHandleForWriting.fileDescriptor, environment: [:])
                == .jsonLines)
        // The leading end of a new pseudo-terminal is a terminal too.
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        let cases: [([String: String], Bool)] = [
            ([:], true), (["NO_COLOR": "1"], false), (["NO_COLOR": ""], true), (["TERM": "dumb"], false),
            (["TERM": "xterm"], true),
        ]
        for (environment, colours) in cases {
            #expect(
                LogFormat.detected(descriptor: terminal, environment: environment)
                    == .terminal(colours: colours))
        }
    }

    // MARK: - Secrets

    @Test(
        "secret by its key",
        arguments: [
            "authorization", "Proxy-Authorization", "apikey", "API_KEY", "x-api-key", "db.password",
            "jwt-secret", "access_token", "Set-Cookie",
        ])
    func secretKeys(key: String) throws {
        let object = try json {
            $0.info("x", metadata: ["h": [key: "hunter2"], "l": [["\(key)": ["hunter2"]]]])
        }
        #expect(!"\(object)".contains("hunter2") && "\(object)".contains("[redacted]"))
    }

    @Test(
        "secret by its look",
        arguments: [
            ("Bearer eyJhbGciOi.eyJyb2xlIjo.sig-_1 rest", "Bearer [redacted] rest"),
            ("postgres://user:hunt:er@2@db/app?x=1", "postgres://user:[redacted]@db/app?x=1"),
            ("host=db password=hunter2 user=u", "host=db password=[redacted] user=u"),
            ("host=db password='hunter 2' user=u", "host=db password=[redacted] user=u"),
            ("http://127.0.0.1:3000/rest/v1", "http://127.0.0.1:3000/rest/v1"), ("eyJ alone", "eyJ alone"),
        ])
    func secretLooks(text: String, expected: String) throws {
        struct Described: CustomStringConvertible, Error { let description: String }
        let object = try json { logger in
            logger.info(
                "\(text)", error: Described(description: text),
                metadata: ["k": "\(text)", "s": .stringConvertible(Described(description: text))])
        }
        #expect(object["msg"] as? String == expected)
        #expect(
            (object["metadata"] as? [String: String]) == ["k": expected, "s": expected, "error": expected])
    }

    @Test("ordinary keys stay")
    func ordinaryKeys() throws {
        let object = try json { $0.info("x", metadata: ["path": "/rest/v1", "author": "me"]) }
        #expect((object["metadata"] as? [String: String]) == ["path": "/rest/v1", "author": "me"])
    }

    // MARK: - Output

    @Test("lines of many threads never mix")
    func wholeLines() async throws {
        let wire = Wire()
        let output = wire.output
        let reader = Task.detached { [pipe = wire.pipe] in pipe.fileHandleForReading.readDataToEndOfFile() }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    // Longer than PIPE_BUF, so that the pipe alone would not keep it whole.
                    let line = Array(String(repeating: "\(task)", count: 9000).utf8) + [UInt8(ascii: "\n")]
                    for _ in 0..<50 { output.write(line) }
                }
            }
        }
        try wire.pipe.fileHandleForWriting.close()
        let lines = await reader.value.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 400)
        #expect(lines.allSatisfy { line in line.count == 9000 && line.allSatisfy { $0 == line.first } })
        #expect(output.droppedLines == 0)
    }

    @Test("a reader that does not read costs lines, not the program")
    func fullPipe() throws {
        let wire = Wire()
        let descriptor = wire.pipe.fileHandleForWriting.fileDescriptor
        try #require(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
        let output = wire.output
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 40_000)
        for _ in 0..<4 { output.write(line) }
        #expect(output.droppedLines >= 2)
        _ = try wire.close()
    }

    @Test("a descriptor that is gone costs lines only")
    func closedDescriptor() {
        let output = LogOutput(descriptor: -1)
        output.write([1])
        #expect(output.droppedLines == 1)
    }

    @Test(
        "dates",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"), (4_107_542_399, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, expected: String) {
        #expect(LogTime(microseconds: seconds * 1_000_000).timestamp == expected)
    }
}

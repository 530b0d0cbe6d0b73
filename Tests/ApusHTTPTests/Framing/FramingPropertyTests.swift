import ApusHTTPSpecimens
import Foundation
import Testing

/// Whatever comes over a connection: only requests that are there are seen, each once, however the bytes arrive.
@Suite("Framing of any bytes")
struct FramingPropertyTests {
    @Test("thousands of made-up connections")
    func madeUp() throws {
        let judge = FramingJudge()
        var (seen, refused) = (0, 0)
        for seed in 0..<4_000 {
            var generator = FramingGenerator(seed: UInt64(seed))
            let bytes = generator.bytes()
            do {
                let verdict = try judge.judge(bytes)
                seen += verdict.requests.count
                if verdict.refusal != nil { refused += 1 }
            } catch {
                Issue.record(
                    "seed \(seed): \(error)\n\(String(reflecting: String(decoding: bytes, as: UTF8.self)))")
            }
        }
        #expect(seen > 1_000, "of what is right something must get through")
        #expect(refused > 1_000)
    }

    @Test("what the fuzzer starts from")
    func corpus() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Fuzz/Framing").standardized
        let files = try FileManager.default.contentsOfDirectory(
            at: directory, includingPropertiesForKeys: nil)
        try #require(files.count > 10)
        let judge = FramingJudge()
        for file in files {
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try judge.judge(Array(Data(contentsOf: file)))
            }
        }
    }

    /// The judge itself: a reader that sees more than is there is found out.
    @Test("two readings of one message are told apart")
    func reference() {
        let smuggled =
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(
            FramingReference.requests(in: Array(smuggled.utf8)) == [
                FramedRequest(method: "POST", target: "/a", body: Array("hello".utf8)),
                FramedRequest(method: "GET", target: "/b"),
            ])
        let both = smuggled.replacing("Content-Length", with: "Transfer-Encoding: chunked\r\nContent-Length")
        #expect(FramingReference.requests(in: Array(both.utf8)).isEmpty)
    }
}

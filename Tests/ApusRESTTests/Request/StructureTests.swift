import ApusREST
import ApusSpecimens
import Testing

/// Whatever a client writes: the answer is its own fault, or a statement whose structure is that of its shape.
@Suite struct StructureTests {
    private let judge = RequestJudge()

    @Test(arguments: 0..<12) func madeUpRequests(seed: Int) throws {
        var statements = 0
        for number in 0..<400 {
            let structure = UInt64(seed * 1_000_000 + number)
            var first = RequestGenerator(structure: structure, values: structure)
            var second = RequestGenerator(structure: structure, values: structure &+ 0xABCD)
            let requests = (first.request(), second.request())
            guard case .statement(let sql, _, _) = try judge.judge(requests.0) else { continue }
            statements += 1
            // The same with other values: the same text.
            guard case .statement(let other, _, _) = try judge.judge(requests.1) else { continue }
            #expect(
                sql == other,
                "\(String(decoding: requests.0.query, as: UTF8.self)) and \(String(decoding: requests.1.query, as: UTF8.self))"
            )
        }
        #expect(statements > 20, "too few of them can be read: \(statements)")
    }

    /// Requests of one key are one statement, however they came to it.
    @Test func oneKeyOneStatement() throws {
        var known: [[UInt8]: String] = [:]
        var repeated = 0
        for seed in 0..<6_000 {
            // Few structures, so that keys meet.
            var generator = RequestGenerator(structure: UInt64(seed % 1_000), values: UInt64(seed))
            guard case .statement(let sql, let key?, _) = try judge.judge(generator.request()) else {
                continue
            }
            if let before = known[key] {
                #expect(before == sql)
                repeated += 1
            }
            known[key] = sql
        }
        #expect(repeated > 300, "\(repeated)")
    }

    /// Bytes that follow no grammar, made from pieces of it.
    @Test(arguments: 0..<10) func rubbish(seed: Int) throws {
        var chance = SplitMix(state: UInt64(seed))
        let pieces = [
            "select=", "order=", "or=", "and=", "limit=", "&", "=", ",", "(", ")", ".", "..", "...", ":",
            "::", "->", "->>", "!",
            "*", "\"", "'", "\\", "%", "%2", "%00", "%FF", "+", " ", ";", "--", "/*", "eq.", "in.(",
            "is.null", "not.", "id", "title",
            "authors", "labels(", "\u{0}", "\u{7F}", "😀", "{", "}", "[", "]", "fts(", "any)", "count()", "1",
            "-1", "#", "?", "/",
        ]
        for _ in 0..<1_000 {
            let query = (0..<chance.next(30)).map { _ in pieces[chance.next(pieces.count)] }.joined()
            let method = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"][chance.next(6)]
            let body = (0..<chance.next(10)).map { _ in pieces[chance.next(pieces.count)] }.joined()
            let text = "\(method) books?\(query)\nPrefer: \(pieces[chance.next(pieces.count)])\n\n\(body)"
            _ = try judge.judge(RequestText.request(Array(text.utf8)))
        }
    }

    /// The judge itself finds what it is for.
    @Test(arguments: [
        "SELECT 1; SELECT 2", "SELECT 1 -- x", "SELECT /* x */ 1", "SELECT 'x", "SELECT \"x", "SELECT (1",
        "SELECT 1)",
        "SELECT pwn()", "SELECT E'\\'", "SELECT 'a\0b'", "SELECT $x$",
    ])
    func breaches(sql: String) {
        #expect(throws: StatementSkeleton.Breach.self) { try StatementSkeleton(sql) }
    }
}

import ApusTestSupport
import Testing

/// Reads of one shape by one caller that come together are one statement; nobody can tell.
@Suite struct GatherTests {
    private static let server = Task {
        try await TestServer.start(prepare: FeatureDatabase.withoutSettings + more)
    }
    private static let plain = Task {
        try await TestServer.start(on: try await server.value.database, ["db-gather-reads": "false"])
    }

    /// Values that a text of an array has to quote, many rows, and a name that statements use inside.
    private static let more = #"""
        create table library.words (id int primary key, word text, short varchar(20), day date, at timestamptz);
        insert into library.words values
            (1, 'a, b', 'x', '2026-01-02', '2026-01-02T03:04:05Z'), (2, '{"q"}', 'null', null, null),
            (3, E'back\\slash', '', '2026-01-03', null), (4, 'NULL', 'y', null, '2026-01-02T00:00:00Z'),
            (5, null, null, null, null), (6, '', 'z', null, null), (7, 'é 漢 😀', 'é', null, null);
        create table library.leaves (id int primary key, tree int not null, place int not null);
        insert into library.leaves select n, n % 50, n from generate_series(1, 5000) n;
        create index on library.leaves (tree, place desc);
        create table library._apus_each (id int primary key, v1 int);
        insert into library._apus_each values (1, 5), (2, 6);
        grant select on library.words, library.leaves, library._apus_each to anon, authenticated;
        analyze;
        """#

    /// A target with `@` in place of the value, and values.
    @Test(arguments: [
        ("books?select=id,title,price&id=eq.@", ["1", "2", "3", "99", "-1", "2"]),
        (
            "books?id=gte.@&pages=lt.400&order=id.desc&limit=2&select=id,pages,published",
            ["1", "2", "3", "100"]
        ),
        ("books?price=neq.@&select=title,price&order=title", ["8", "8.0", "1e1", "NaN"]),
        ("books?published=gt.@&select=title&order=published", ["1990-01-01", "infinity", "today"]),
        ("words?word=eq.@&select=id,word", ["a, b", #"{"q"}"#, #"back\slash"#, "NULL", "", "é 漢 😀", "null"]),
        ("words?word=like.@&select=id&order=id", ["*", "a*", #"*\\*"#, "*q*"]),
        ("words?short=in.(x,y)&word=isdistinct.@&select=id&order=id", ["NULL", "a, b"]),
        ("words?or=(short.eq.@,day.eq.2026-01-03)&select=*&order=id", ["x", "é", "none"]),
        ("words?at=lte.@&select=id,at&order=at,id", ["2026-01-02T00:00:00Z", "2026-01-02T04:04:05+01:00"]),
        ("authors?id=eq.@&select=name,mentor_id,books(title)", ["1", "2", "3", "4"]),
        ("authors?select=name,books(title,publishers(name))&books.id=lt.@&order=name", ["2", "3", "9"]),
        (
            "publishers?id=eq.@&select=name,books!inner(title)&books.order=title&books.limit=1",
            ["1", "2", "3"]
        ),
        ("leaves?tree=eq.@&order=place.desc&limit=20", (0..<16).map(String.init)),
        ("leaves?tree=eq.@&place=gt.100&select=place.count()", ["1", "2"]),
        ("novels?id=eq.@", ["1", "2", "3"]),
        ("catalogue?publisher=eq.@&select=title,publisher&order=title", ["Harbour", "Lantern", "Quiet"]),
        ("_apus_each?id=eq.@&v1=gt.5", ["1", "2"]),
        ("words?id=eq.@", ["1", "one", "3", "", "99999999999"]),
    ])
    func `Answers are those of reads that come alone`(target: String, values: [String]) async throws {
        let server = try await Self.server.value
        let plain = try await Self.plain.value
        let targets = values.map { value in
            (target: target.replacing("@", with: value), token: String?.none)
        }
        var expected: [Reply] = []
        for ask in targets { expected.append(await plain.get(ask.target)) }
        // The first ones teach the server how long they take.
        for _ in 0..<8 {
            for (reply, alone) in zip(await server.together(targets), expected) {
                #expect(reply?.status == alone.status, "\(target)")
                #expect(reply?.text == alone.text, "\(target)")
                #expect(reply?.field("Content-Range") == alone.field("Content-Range"))
            }
        }
    }

    @Test func `Reads that come together are one statement`() async throws {
        let server = try await TestServer.start(prepare: FeatureDatabase.withoutSettings)
        let targets = (0..<40).map { (target: "books?id=eq.\($0)&select=title", token: String?.none) }
        // When the machine is busy, they may seem slow, and slow ones go alone.
        #expect(
            try await eventually {
                _ = await server.together(targets)
                return server.gatheredReads >= 40
            })
        await server.stop()
    }

    @Test func `Callers are kept apart`() async throws {
        let server = try await Self.server.value
        let targets = (0..<30).map { number in
            (
                target: "loans?id=lt.\(number % 5)&select=id&order=id",
                token: [Token.ada, Token.ben, nil][number % 3]
            )
        }
        for _ in 0..<8 {
            for (index, reply) in await server.together(targets).enumerated() {
                let most = index % 5
                switch index % 3 {
                case 0: #expect(reply?.text == ["[]", "[]", #"[{"id":1}]"#, twoLoans, twoLoans][most])
                case 1: #expect(reply?.text == (most == 4 ? #"[{"id":3}]"# : "[]"))
                default: #expect(reply?.status == 401)
                }
            }
        }
    }

    @Test func `Who goes away takes nobody along`() async throws {
        let server = try await Self.server.value
        let targets = (1...12).map { (target: "leaves?id=eq.\($0)&select=id", token: String?.none) }
        for _ in 0..<8 {
            let replies = await server.together(targets, abandoned: [0, 5, 11])
            for (index, reply) in replies.enumerated() where ![0, 5, 11].contains(index) {
                #expect(reply?.text == #"[{"id":\#(index + 1)}]"#)
            }
        }
    }

    private let twoLoans = "[{\"id\":1}, \n {\"id\":2}]"
}

import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct ShapeTests {
    private let reader = RequestReader(settings: .init(schemas: ["a", "b"]))

    private func shape(_ request: RESTRequest) -> RequestShape {
        var shape = RequestShape()
        reader.shape(of: request, into: &shape)
        return shape
    }

    private func key(
        _ query: String, _ method: String = "GET", _ path: String = "items",
        fields: RESTRequest.Fields = .init(),
        body: String = ""
    ) -> [UInt8]? {
        let shape = shape(makeRequest(method, path, query, fields: fields, body: body))
        return shape.isComplete ? shape.key : nil
    }

    @Test func valuesAreNoPartOfTheKey() {
        #expect(key("id=eq.1&n=like.*x*") == key("id=eq.%32&n=like.y"))
        #expect(key("id=in.(1,2)") == key(#"id=in.(3,"4,5",6)"#))
        #expect(key("a=1", "GET", "rpc/f") == key("a=2", "GET", "rpc/f"))
        #expect(key("", "POST", body: #"[{"a":1,"b":2}]"#) == key("", "POST", body: #"{"b":3,"a":4}"#))
    }

    @Test func structureIs() {
        let keys = [
            key("id=eq.1"), key("id=gt.1"), key("id=not.eq.1"), key("id=eq(any).1"), key("ie=eq.1"),
            key("id=eq.1&id=eq.1"), key("select=id"), key("select=id&id=eq.1"), key("limit=1"),
            key("limit=2"),
            key("or=(a.eq.1)"), key("or=(a.eq.2)"), key("id=is.null"), key("id=is.true"), key("id=fts.a"),
            key("id=fts(english).a"), key(""), key("", "HEAD"), key("", "GET", "others"),
            key("", "GET", "rpc/f"),
            key("", fields: .init(acceptProfile: "b")), key("", fields: .init(prefer: ["count=exact"])),
            key("", fields: .init(accept: ["text/csv"])), key("", fields: .init(contentType: "text/csv")),
            key("", fields: .init(range: "0-1")), key("a=eq.1", "GET", "rpc/f"), key("a=1", "GET", "rpc/f"),
            key("", "POST", body: "{}"), key("", "POST", body: #"{"a":1}"#),
            key("", "POST", body: #"{"ab":1}"#),
            key("columns=a", "POST", body: "{}"), key("order=a.is.null"),
        ]
        #expect(!keys.contains(nil))
        #expect(Set(keys).count == keys.count)
    }

    @Test func whatCannotBeReadHasNoKey() {
        #expect(key("id=1") == nil)
        #expect(key("id=in.(1") == nil)
        #expect(key("", "TRACE") == nil)
        #expect(key("", "POST", body: "{") == nil)
        #expect(key("", "POST", body: #"[{"a":1},{"b":1}]"#) == nil)
    }

    @Test func longKeysAreNotLookedUp() {
        let list = (0..<2_000).map { "id.eq.\($0)" }.joined(separator: ",")
        #expect(key("or=(\(list))") == nil)
        #expect(fault("GET", "items", "or=(id.eq.1)") == nil)
        #expect(key("id=in.(\(list))") != nil)
    }

    @Test func fillingAgainForgets() {
        var shape = RequestShape()
        reader.shape(of: makeRequest("POST", "items", "id=1&a=eq.2", body: "{"), into: &shape)
        #expect(!shape.isComplete)
        reader.shape(of: makeRequest("GET", "items", "id=eq.7"), into: &shape)
        #expect(shape.isComplete && shape.values.count == 1 && shape.body.isEmpty)
        #expect(Array(shape.values[0]) == Array("eq.7".utf8))
    }

    /// The fast scan accepts a filter exactly where the grammar does, and cuts it at the same place; all but
    /// letters outside ASCII in a language's name.
    @Test func operatorPrefixAgreesWithTheGrammar() {
        var generator = SeededGenerator(state: 11)
        let pieces = [
            "not", ".", "eq", "neq", "in", "is", "isdistinct", "fts", "wfts", "like", "imatch", "lt", "lte",
            "(any)",
            "(all)", "(", ")", ",", "\"", "\\", " ", "null", "NOT_null", "true", "english", "1", "é", "{",
            "x",
        ]
        var disagreements: [String] = []
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            var parser = GrammarParser(text.utf8, limits: .init())
            let operation = try? parser.operation(operand: .rest(slot: 0)).operation
            let length = OperatorPrefix.length(of: Array(text.utf8)[...])
            if text.contains("(") && text.contains("é") && length == nil { continue }
            if (operation == nil) != (length == nil) { disagreements.append(text) }
            guard case .slot(_, let dropping)? = operation?.operand else { continue }
            if dropping != length { disagreements.append(text) }
        }
        #expect(disagreements == [])
    }

    // MARK: - Properties

    /// Requests whose parts are drawn from few, so that keys meet.
    private func randomRequest(_ generator: inout SeededGenerator) -> RESTRequest {
        func pick(_ choices: [String]) -> String { choices.randomElement(using: &generator) ?? "" }
        let method = pick(["GET", "GET", "GET", "POST", "PATCH", "HEAD", "PUT"])
        let names = [
            "id", "n", "a.b", "%22x%22", "d->>k", "select", "order", "limit", "or", "a.or", "columns", "",
        ]
        let values = [
            "eq.1", "eq.2", "eq.%33", "in.(1)", "in.(1,%222%22)", "is.null", "is.NULL", "not.like.a",
            "fts(e).x", "a",
            "a,b(c)", "a.desc", "3", "(a.eq.1)", "(a.eq.2)", "%FF", "", "x%00y",
        ]
        let query = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            pick(names) + pick(["=", "=", "="]) + pick(values)
        }.joined(separator: pick(["&", "&", ";"]))
        let fields = RESTRequest.Fields(
            acceptProfile: pick(["", "", "b"]).isEmpty ? nil : "b",
            prefer: pick(["", "", "count=exact"]).isEmpty ? [] : ["count=exact"],
            contentType: pick(["", "", "", "text/csv"]).isEmpty ? nil : "text/csv")
        let body = pick([
            #"{"a":1}"#, #"[{"a":2}]"#, #"{"\u0061":1,"b":2}"#, #"{"b":1,"a":3}"#, "a,b\n1,2", "", "x",
        ])
        return makeRequest(method, pick(["items", "rpc/f"]), query, fields: fields, body: body)
    }

    private enum Outcome: Equatable {
        case ask(ReadRequest.Ask)
        case fault(Fault)
    }

    private func outcome(_ request: RESTRequest, _ shape: RequestShape) -> Outcome {
        do throws(Fault) { return .ask(try reader.ask(of: request, shape: shape)) } catch {
            return .fault(error)
        }
    }

    @Test func equalKeysMeanEqualIntents() {
        var generator = SeededGenerator(state: 5)
        var seen: [[UInt8]: Outcome] = [:]
        var meetings = 0
        for _ in 0..<30_000 {
            let request = randomRequest(&generator)
            let shape = shape(request)
            guard shape.isComplete else { continue }
            let outcome = outcome(request, shape)
            if let other = seen[shape.key] {
                meetings += 1
                if other != outcome { Issue.record("\(request)") }
            } else {
                seen[shape.key] = outcome
            }
            if case .ask(.data(let intent)) = outcome { checkSlots(intent, shape) }
        }
        // Otherwise nothing was checked.
        #expect(meetings > 1_000)
        #expect(seen.count > 1_000)
    }

    /// Every operand names a value that is there.
    private func checkSlots(_ intent: Intent, _ shape: RequestShape) {
        let operands = intent.filters.compactMap(\.value.operation.operand) + intent.arguments.map(\.value)
        for case .slot(let index, let dropping) in operands {
            #expect(index < shape.values.count && dropping <= shape.values[index].count)
        }
    }

    /// Any bytes give an intent or a fault.
    @Test func anyQuery() {
        var generator = SeededGenerator(state: 9)
        let alphabet = Array("abor=&;.,()\"\\%+-> :!*{}select ordlimt10n\t\n".utf8) + [0, 0xC3, 0xA9, 0xFF]
        for _ in 0..<30_000 {
            var request = makeRequest("GET", Bool.random(using: &generator) ? "items" : "rpc/f")
            request.query = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            if Bool.random(using: &generator) {
                let prefixes = ["select=", "order=", "or=", "id=in.", "columns=", "a.b.limit="]
                request.query = Array((prefixes.randomElement(using: &generator) ?? "").utf8) + request.query
            }
            _ = outcome(request, shape(request))
            _ = canonicalQuery(of: request.query)
        }
    }

    /// Input that could make a backtracking parser slow is read in time that grows with its length.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["a(", "(", "\"", "\\\"", "and(", "a.", "->", "-", "not.", "a:", ","])
    func repetitions(piece: String) {
        let text = String(repeating: piece, count: 20_000)
        for prefix in ["select=", "order=", "or=", "or=(a.in.(", "columns=", "id=in.(", "id=", ""] {
            let request = makeRequest("GET", "items", prefix + text)
            _ = outcome(request, shape(request))
        }
    }
}

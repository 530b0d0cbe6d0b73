import ApusCatalog
import ApusFaults
import ApusPlanner
import Foundation
import Testing

@testable import ApusREST

@Suite struct JSONPayloadTests {
    private func keys(_ json: String, maxDepth: Int = 512) -> [String]? {
        let bytes = Array(json.utf8)
        guard case .objects(let keys) = JSONPayload(scanning: bytes, maxDepth: maxDepth) else { return nil }
        return keys.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    private func scan(_ json: String, maxDepth: Int = 512) -> JSONPayload {
        JSONPayload(scanning: Array(json.utf8), maxDepth: maxDepth)
    }

    @Test func rows() {
        #expect(keys(#"{"a":1,"b":[{"c":2}]}"#) == ["a", "b"])
        #expect(keys(#" [ { "a" : 1 } , { "a" : 2 } ] "#) == ["a"])
        #expect(keys(#"[{"a":1,"b":2},{"b":1,"a":2}]"#) == ["a", "b"])
        #expect(keys(#"[{"a":1},{"\u0061":2}]"#) == ["a"])
        #expect(keys(#"[{"a":1,"a":2},{"a":2}]"#) == ["a", "a"])
        #expect(keys(#"[{"é":1},{"\u00e9":2}]"#) == ["é"])
        #expect(keys("[{},{}]") == [])
        #expect(scan("[]") == .noObjects)
        #expect(scan("1") == .noObjects)
    }

    @Test(arguments: [
        #"[{"a":1},{"b":1}]"#, #"[{"a":1},{"a":1,"b":2}]"#, #"[{"a":1,"b":2},{"a":1}]"#, "[1]", "[{},1]",
        "[1,{}]", "[[]]", #"[{"a":1},{}]"#, #"[{},{"a":1}]"#,
    ])
    func unequalKeys(_ json: String) {
        #expect(scan(json) == .unequalKeys)
    }

    /// Rows that differ from a long first row in spelling only cost what they are long themselves.
    @Test(.timeLimit(.minutes(1))) func longFirstRow() {
        let first = "{" + Array(repeating: #""a":1"#, count: 50_000).joined(separator: ",") + "}"
        let rows = Array(repeating: #"{"a":1}"#, count: 50_000).joined(separator: ",")
        #expect(keys("[\(first),\(rows)]")?.count == 50_000)
    }

    @Test func depth() {
        let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(scan(nested(5), maxDepth: 5) == .unequalKeys)
        #expect(scan(nested(6), maxDepth: 5) == .tooDeep)
        #expect(scan(#"[{"a":[[1]]}]"#, maxDepth: 4) != .tooDeep)
        #expect(scan(#"[{"a":[[[1]]]}]"#, maxDepth: 4) == .tooDeep)
        #expect(scan(String(repeating: "[", count: 1_000_000)) == .tooDeep)
        let objects = String(repeating: #"{"a":"#, count: 600) + "1" + String(repeating: "}", count: 600)
        #expect(scan(objects) == .tooDeep)
    }

    private static let valid = [
        "0", "-0", "1.5e+10", "-12E-3", "1e5", "true", "false", "null", #""""#, #""\"\\\/\b\f\n\r\t\u12aF""#,
        " [ ] ", "{ }", #"{"":{"":[]}}"#, "\t\n\r 1 ", #""aaaaaaaabbbbbbbbc""#, #""aaaaaaa\n""#, #""é€😀""#,
        #"[1,[2,[3,{"a":[]}]],"x"]"#, #"{"a":{"b":{"c":null}},"d":[{}]}"#, "\"\u{7f}\"",
    ]

    private static let invalid = [
        "", " ", "01", "-", "+1", "1.", ".5", "1e", "1e+", "tru", "truex", "nul", "NaN", "'a'", #"""#,
        #""\""#,
        #""\x""#, #""\u12g4""#, #""\u12"#, "\"\n\"", "\"aaaaaaaa\u{1}\"", "[", "]", "[1,]", "[,1]", "[1 2]",
        "{", "}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", "{1:1}", #"{"a":1 "b":2}"#, "[1}", "{]",
        "1 2",
        "[]]", "}{ x = 2", "\u{feff}1", "[1]x", #"{"a":[1,{"b":2]}}"#, "[\"a\" \"b\"]", "//", "\u{a0}1",
    ]

    @Test(arguments: valid) func validDocuments(_ json: String) {
        #expect(scan(json) != .invalid)
    }

    @Test(arguments: invalid) func invalidDocuments(_ json: String) {
        #expect(scan(json) == .invalid)
    }

    @Test(
        arguments: [
            [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xFF, 0x22],
            [0x22, 0xE0, 0x80, 0x80, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]])
    func badUTF8(_ bytes: [UInt8]) {
        #expect(JSONPayload(scanning: bytes, maxDepth: 512) == .invalid)
    }

    /// Mutations of good documents, judged by another parser.
    @Test func agreesWithFoundation() {
        var generator = SeededGenerator(state: 7)
        let alphabet = Array(#"{}[]:,"\ 0123-+.eEtrufalsn"#.utf8)
        var disagreements: [String] = []
        for _ in 0..<20_000 {
            var bytes = Array((Self.valid.randomElement(using: &generator) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = alphabet.randomElement(using: &generator) ?? 0x20
                default: bytes.insert(alphabet.randomElement(using: &generator) ?? 0x20, at: index)
                }
            }
            let ours = JSONPayload(scanning: bytes, maxDepth: 512) != .invalid
            let theirs =
                (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            if ours != theirs { disagreements.append(String(decoding: bytes, as: UTF8.self)) }
        }
        disagreements.removeAll { text in
            // Foundation refuses numbers that it cannot hold and half surrogate pairs, and takes a comma before
            // a closing bracket; the grammar does not.
            let hasExponent = text.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") }
            let dense = text.filter { !$0.isWhitespace }
            return text.contains("\\u") || hasExponent && text.contains { $0.isNumber }
                || dense.contains(",]") || dense.contains(",}")
        }
        #expect(disagreements == [])
    }

    /// Any bytes: an answer, and no access beyond them.
    @Test func anyBytes() {
        var generator = SeededGenerator(state: 3)
        let alphabet = Array(#"{}[]:,"\u12ae-.ntf "#.utf8) + [0xC3, 0xA9, 0xFF, 0]
        for _ in 0..<50_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            _ = JSONPayload(scanning: bytes, maxDepth: 8)
        }
    }
}

@Suite struct BodyTests {
    private func read(
        _ method: String, _ path: String, _ type: String?, _ body: String, query: String = "",
        settings: RESTSettings = .init()
    ) throws -> (payload: Intent.Payload?, body: String, values: [String]) {
        let request = makeRequest(method, path, query, fields: .init(contentType: type), body: body)
        let read = try RequestReader(settings: settings).read(request)
        guard case .data(let intent) = read.ask else { throw NoIntent(ask: read.ask) }
        let values = read.shape.values
        return (
            intent.payload, String(decoding: read.shape.body, as: UTF8.self),
            (0..<values.count).map { String(decoding: values[$0], as: UTF8.self) }
        )
    }

    @Test func json() throws {
        let rows = try read("POST", "items", nil, #"[{"b":1,"a\n":2}]"#)
        #expect(rows.payload == .json(keys: ["a\n", "b"]))
        #expect(rows.body == #"[{"b":1,"a\n":2}]"#)
        #expect(try read("PATCH", "items", "application/json", "{}").payload == .json(keys: []))
        #expect(try read("POST", "items", nil, "5").body == "[]")
        #expect(try read("POST", "rpc/f", nil, "").body == "{}")
        #expect(try read("DELETE", "items", nil, "x").payload == nil)
        #expect(try read("GET", "items", "x/y", "x").payload == nil)
        for body in ["", "}{ x = 2"] {
            #expect(fault("POST", "items", body: body)?.message == "Empty or invalid json")
            #expect(fault("POST", "items", body: body)?.code == "PGRST102")
        }
        #expect(fault("POST", "items", body: #"[{"a":1},{"b":1}]"#)?.message == "All object keys must match")
    }

    @Test func columnsReplaceTheKeys() throws {
        let intent = try intent("POST", "items", "columns=b,a,%22b%22", body: "anything")
        #expect(intent.payload == .uninspectedJSON)
        #expect(intent.columns == ["b", "a"])
        let put = try ApusRESTTests.intent("PUT", "items", "columns=b", body: #"{"a":1}"#)
        #expect(put.payload == .json(keys: ["a"]))
        #expect(put.columns == nil)
    }

    @Test func csv() throws {
        let table = try read("POST", "items", "text/csv", "a,b\r\n1,\"x,\"\"y\"\"\"\n\nNULL,\"\n\"")
        #expect(table.payload == .json(keys: ["a", "b"]))
        #expect(table.body == #"[{"a":"1","b":"x,\"y\""},{"a":null,"b":"\u000a"}]"#)
        #expect(try read("POST", "items", "text/csv", "a,a\n1,2").body == #"[{"a":"2"}]"#)
        #expect(try read("POST", "items", "text/csv", "a,b\n").payload == .json(keys: []))
        for ragged in ["a,b\nfoo,bar\nbaz", "a\n1,2"] {
            let fault = fault("POST", "items", fields: .init(contentType: "text/csv"), body: ragged)
            #expect(fault?.message == "All lines must have same number of fields")
        }
        for malformed in ["", "a\nx\"y", "a\n\"x", "a\n\"x\"y"] {
            let fault = fault("POST", "items", fields: .init(contentType: "text/csv"), body: malformed)
            #expect(fault?.message == "Empty or invalid csv")
        }
    }

    @Test func forms() throws {
        let type = "application/x-www-form-urlencoded"
        let call = try read("POST", "rpc/f", type, "a=1+2&b=%26&a=3&c")
        #expect(
            call.payload
                == .form([
                    .init(name: "a", value: .slot(index: 0, dropping: 0)),
                    .init(name: "b", value: .slot(index: 1, dropping: 0)),
                    .init(name: "a", value: .slot(index: 2, dropping: 0)),
                    .init(name: "c", value: .slot(index: 3, dropping: 0)),
                ]))
        #expect(call.values == ["1 2", "&", "3", ""])
        #expect(try read("POST", "rpc/f", type, "a=1", query: "x=eq.2").values == ["eq.2", "1"])
        let row = try read("POST", "items", type, "a=1&b=%22&a=2")
        #expect(row.payload == .json(keys: ["a", "b"]))
        #expect(row.body == #"{"b":"\"","a":"2"}"#)
    }

    @Test func rawOnlyForCalls() throws {
        for type in ["text/plain", "text/xml", "application/octet-stream"] {
            #expect(try read("POST", "rpc/f", type, "x{").payload == .raw)
            #expect(try read("POST", "rpc/f", type, "x{").body == "x{")
            let fault = fault("POST", "items", fields: .init(contentType: type), body: "x")
            #expect(fault?.message == "Content-Type not acceptable: \(type)")
        }
        let fault = fault("POST", "rpc/f", fields: .init(contentType: "image/png"), body: "x")
        #expect(fault?.code == "PGRST102")
    }

    @Test func limits() {
        let settings = RESTSettings(limits: .init(parameters: 2, jsonDepth: 3))
        #expect(fault("GET", "items", "a=eq.1&b=eq.1&c=eq.1", settings: settings)?.code == "APUS440")
        #expect(fault("GET", "items", "a=eq.1&b=eq.1", settings: settings) == nil)
        #expect(fault("POST", "items", body: "[[[[]]]]", settings: settings)?.code == "APUS443")
        for path in ["items", "rpc/f"] {
            let form = RESTRequest.Fields(contentType: "application/x-www-form-urlencoded")
            #expect(
                fault("POST", path, fields: form, body: "a=1&b=1&c=1", settings: settings)?.code == "APUS440")
        }
    }
}

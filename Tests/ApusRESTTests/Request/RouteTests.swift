import ApusCatalog
import ApusFaults
import ApusPlanner
import Testing

@testable import ApusREST

@Suite struct RouteTests {
    @Test(arguments: [
        ("GET", "items", Intent.Action.read), ("HEAD", "items", .read), ("POST", "items", .insert),
        ("PUT", "items", .upsertOne), ("PATCH", "items", .update), ("DELETE", "items", .delete),
        ("GET", "rpc/f", .call(isReadOnly: true)), ("HEAD", "rpc/f", .call(isReadOnly: true)),
        ("POST", "rpc/f", .call(isReadOnly: false)),
    ])
    func actions(method: String, path: String, action: Intent.Action) throws {
        let intent = try intent(method, path, body: "{}")
        #expect(intent.action == action)
        #expect(intent.wantsBody == (method != "HEAD"))
        #expect(intent.target == QualifiedName("public", path == "items" ? "items" : "f"))
    }

    @Test func faults() {
        #expect(fault("GET", "a/b")?.code == "PGRST125")
        #expect(fault("GET", "invalid/nested/paths")?.kind == .notFound)
        #expect(fault("DELETE", "rpc/f")?.message == "Cannot use the DELETE method on RPC")
        #expect(fault("DELETE", "rpc/f")?.code == "PGRST101")
        #expect(fault("TRACE", "items")?.message == "Unsupported HTTP method: TRACE")
        #expect(fault("POST", "")?.code == "PGRST117")
        #expect(fault("GET", "", settings: .init(describesRoot: false))?.code == "PGRST126")
    }

    @Test func otherAsks() throws {
        let reader = RequestReader(settings: .init())
        #expect(
            try reader.read(makeRequest("OPTIONS", "items")).ask
                == .describeRelation(.init("public", "items")))
        #expect(try reader.read(makeRequest("OPTIONS", "")).ask == .describeRoot)
        guard case .document(let document) = try reader.read(makeRequest("HEAD", "")).ask,
            case .describeFunction(let call) = try reader.read(makeRequest("OPTIONS", "rpc/f", "a=1")).ask
        else {
            Issue.record("neither a document nor a function")
            return
        }
        #expect(document.schema == "public" && !document.wantsBody)
        #expect(call.arguments.map(\.name) == ["a"])
        let rooted = RequestReader(settings: .init(rootFunction: "home"))
        guard case .data(let intent) = try rooted.read(makeRequest("GET", "")).ask else {
            Issue.record("no call")
            return
        }
        #expect(intent.target.name == "home" && intent.action == .call(isReadOnly: true))
    }

    @Test(arguments: [
        ("b=eq.1&a=eq.1", "a=eq.1&b=eq.1"), ("", ""), ("a=1&c=3&b=2&d", "a=1&b=2&c=3&d="),
        ("x=b+c&x=a", "x=b%20c&x=a"), ("n=in.(%C3%A9,%26)", "n=in.%28%C3%A9%2C%26%29"),
        ("a=%zz%4", "a=%25zz%254"),
    ])
    func canonical(query: String, expected: String) {
        #expect(String(decoding: canonicalQuery(of: Array(query.utf8)), as: UTF8.self) == expected)
    }
}

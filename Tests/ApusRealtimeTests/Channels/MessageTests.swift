import ApusJSON
import Testing

@testable import ApusRealtime

@Suite("Messages of channels, in both serializations")
struct ChannelMessageTests {
    private func read(_ text: String, _ version: ChannelVersion) throws -> ClientMessage {
        try ClientMessageReader.read(text: Array(text.utf8), version: version)
    }

    private func raw(_ message: ClientMessage) -> String {
        if case .json(_, let raw) = message.content { String(decoding: raw, as: UTF8.self) } else { "none" }
    }

    @Test("Version 1 is an object")
    func one() throws {
        let message = try read(
            #"{"event":"broadcast","payload":{ "a" : 1.0 },"topic":"realtime:r","ref":"2","join_ref":"1"}"#,
            .one)
        #expect(message.event == "broadcast" && message.topic == "realtime:r")
        #expect(message.ref == "2" && message.joinRef == "1")
        #expect(raw(message) == #"{ "a" : 1.0 }"#, "the payload goes on byte by byte")
        #expect(throws: ClientMessageReader.Malformed.self) { try read(#"{"event":"x"}"#, .one) }
        #expect(throws: ClientMessageReader.Malformed.self) { try read(#"["1","2","t","e",{}]"#, .one) }
    }

    @Test("Version 2 is an array; names with commas and brackets do not confuse where the payload begins")
    func two() throws {
        let message = try read(#"[null, "7", "realtime:a,\"]b", "e,v", {"p":[1,"]"]} ]"#, .two)
        #expect(message.joinRef == nil && message.ref == "7")
        #expect(message.topic == #"realtime:a,"]b"#)
        #expect(raw(message) == #"{"p":[1,"]"]}"#)
        #expect(throws: ClientMessageReader.Malformed.self) { try read(#"["1","2","t"]"#, .two) }
    }

    @Test("Names of any length are not taken")
    func limits() {
        let long = String(repeating: "x", count: 1_025)
        #expect(throws: ClientMessageReader.Malformed.self) {
            try read(#"[null,null,"\#(long)","e",{}]"#, .two)
        }
    }

    @Test("A broadcast of version 2's own frame")
    func userBroadcast() throws {
        let parts = ["1", "9", "realtime:r", "move", ""].map { Array($0.utf8) }
        let head: [UInt8] = [3] + parts.map { UInt8($0.count) } + [1]
        let message = try ClientMessageReader.read(
            binary: head + parts.flatMap { $0 } + Array(#"{"x":1}"#.utf8))
        #expect(message.event == "broadcast" && message.ref == "9" && message.topic == "realtime:r")
        guard case .broadcast(let event, .json(let payload)) = message.content else {
            Issue.record("no broadcast")
            return
        }
        #expect(event == "move")
        #expect(payload.elementsEqual(#"{"x":1}"#.utf8))
        #expect(throws: ClientMessageReader.Malformed.self) {
            try ClientMessageReader.read(binary: head + parts.flatMap { $0 } + Array(#"{"x":"#.utf8))
        }
        for length in 0..<head.count {
            #expect(throws: ClientMessageReader.Malformed.self) {
                try ClientMessageReader.read(binary: Array(head.prefix(length)))
            }
        }
    }

    @Test("A broadcast reaches version 1 as text, version 2 in the form it came in")
    func broadcast() throws {
        let text = Broadcast(event: "e", payload: .json(Array("[1]".utf8)[...]), form: .text)
        let one = try #require(text.frame(.one, topic: "realtime:r"))
        #expect(
            String(decoding: one.bytes, as: UTF8.self)
                == #"{"event":"broadcast","payload":{"event":"e","payload":[1],"type":"broadcast"},"ref":null,"topic":"realtime:r"}"#
        )
        let two = try #require(text.frame(.two, topic: "realtime:r"))
        #expect(
            String(decoding: two.bytes, as: UTF8.self)
                == #"[null,null,"realtime:r","broadcast",{"event":"e","payload":[1],"type":"broadcast"}]"#)
        let binary = Broadcast(event: "e", payload: .binary([0, 255]), form: .user, id: "i")
        #expect(binary.frame(.one, topic: "realtime:r") == nil, "version 1 has no bytes")
        let framed = try #require(binary.frame(.two, topic: "realtime:r"))
        #expect(framed.isBinary)
        #expect(framed.bytes == [4, 10, 1, 10, 0] + Array(#"realtime:re{"id":"i"}"#.utf8) + [0, 255])
    }

    @Test("Joins: what is asked for, and what is refused")
    func joins() throws {
        func join(_ text: String) throws -> JoinRequest {
            try JoinRequest(JSONReader.read(Array(text.utf8)).object ?? [:])
        }
        let request = try join(
            #"{"config":{"broadcast":{"ack":true,"self":true},"presence":{"key":"u1","enabled":true},"private":true,"postgres_changes":[{"event":"*","schema":"public","table":"todos","filter":"id=eq.1"}]},"access_token":"t"}"#
        )
        #expect(request.acknowledgesBroadcasts && request.echoesBroadcasts && request.isPrivate)
        #expect(request.presenceKey == "u1" && request.tracksPresence && request.accessToken == "t")
        #expect(request.changes.first?.table == "todos" && request.changes.first?.event == .all)
        #expect(try join("{}").changes.isEmpty)
        let refused = [
            #"{"config":{"postgres_changes":[{"event":"DROP"}]}}"#,
            #"{"config":{"postgres_changes":[1]}}"#,
            #"{"config":{"broadcast":{"replay":{"since":1}}}}"#,
            #"{"config":{"private":true,"broadcast":{"replay":{"since":1,"limit":26}}}}"#,
            #"{"config":{"private":true,"broadcast":{"replay":{"limit":2}}}}"#,
        ]
        for text in refused { #expect(throws: ChannelFault.self, "\(text)") { try join(text) } }
    }
}

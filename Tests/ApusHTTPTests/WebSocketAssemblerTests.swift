import NIOCore
import Testing

@testable import ApusHTTP

@Suite("Frames become messages, or an end with a code")
struct WebSocketAssemblerTests {
    private func frame(
        _ opcode: UInt8, _ payload: [UInt8], final: Bool = true, reserved: UInt8 = 0, masked: Bool = true
    ) -> WebSocketAssembler.Frame {
        .init(
            isFinal: final, reserved: reserved, isMasked: masked, opcode: opcode,
            payload: ByteBuffer(bytes: payload))
    }

    private func code(_ action: WebSocketAssembler.Action) -> UInt16? {
        if case .fail(let code, _) = action { code.rawValue } else { nil }
    }

    @Test("Text and binary in one frame")
    func whole() {
        var assembler = WebSocketAssembler(messageBytes: 10)
        #expect(assembler.receive(frame(1, Array("hé".utf8))) == .text(ByteBuffer(string: "hé")))
        #expect(assembler.receive(frame(2, [0, 255])) == .binary(ByteBuffer(bytes: [0, 255])))
    }

    @Test("A message in parts, with a ping between them and a character cut in two")
    func parts() {
        var assembler = WebSocketAssembler(messageBytes: 10)
        #expect(assembler.receive(frame(1, [0x68, 0xC3], final: false)) == .wait)
        #expect(assembler.receive(frame(9, [7])) == .pong(ByteBuffer(bytes: [7])))
        #expect(assembler.receive(frame(0, [0xA9])) == .text(ByteBuffer(string: "hé")))
        #expect(code(assembler.receive(frame(0, []))) == 1002)
    }

    @Test("The limit holds for the sum of the parts")
    func limit() {
        var assembler = WebSocketAssembler(messageBytes: 4)
        #expect(assembler.receive(frame(2, [1, 2, 3], final: false)) == .wait)
        #expect(code(assembler.receive(frame(0, [4, 5]))) == 1009)
        #expect(code(assembler.receive(frame(2, [1, 2, 3, 4, 5]))) == 1009)
    }

    @Test("What RFC 6455 forbids a client ends with 1002")
    func protocolErrors() {
        var assembler = WebSocketAssembler(messageBytes: 10)
        #expect(code(assembler.receive(frame(1, [], masked: false))) == 1002)
        #expect(code(assembler.receive(frame(1, [], reserved: 4))) == 1002)
        #expect(code(assembler.receive(frame(3, []))) == 1002)
        #expect(code(assembler.receive(frame(8, [3]))) == 1002)
        #expect(code(assembler.receive(frame(8, [0x03, 0xED]))) == 1002, "1005 never travels")
        #expect(assembler.receive(frame(1, [65], final: false)) == .wait)
        #expect(code(assembler.receive(frame(1, [65]))) == 1002, "a message inside a message")
    }

    @Test("Text that is not UTF-8 ends with 1007")
    func text() {
        var assembler = WebSocketAssembler(messageBytes: 10)
        #expect(code(assembler.receive(frame(1, [0xC3, 0x28]))) == 1007)
        #expect(code(assembler.receive(frame(8, [0x03, 0xE8, 0xFF]))) == 1007)
    }

    @Test("Close with and without a code")
    func close() {
        var assembler = WebSocketAssembler(messageBytes: 10)
        #expect(assembler.receive(frame(8, [])) == .closed(nil))
        #expect(assembler.receive(frame(8, [0x03, 0xE8, 0x62])) == .closed(.normal))
    }
}

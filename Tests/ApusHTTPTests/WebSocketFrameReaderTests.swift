import NIOCore
import Testing

@testable import ApusHTTP

@Suite("Frames of a WebSocket")
struct WebSocketFrameReaderTests {
    private static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    private static func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8]? = mask) -> [UInt8] {
        var bytes = [first]
        let flag: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case 0...125: bytes.append(flag | UInt8(payload.count))
        case 126...0xFFFF:
            bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(flag | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(payload.count >> shift & 0xFF))
            }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    private static func read(
        _ chunks: [ArraySlice<UInt8>], limit: Int = 1 << 20
    ) throws -> [WebSocketAssembler.Frame] {
        var reader = WebSocketFrameReader(frameBytes: limit)
        var frames: [WebSocketAssembler.Frame] = []
        for chunk in chunks {
            reader.append(ByteBuffer(bytes: chunk))
            while let frame = try reader.next() { frames.append(frame) }
        }
        return frames
    }

    @Test("RFC 6455 §5.7: a masked text message")
    func example() throws {
        let bytes: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        let frames = try Self.read([bytes[...]])
        #expect(frames.map { String(buffer: $0.payload) } == ["Hello"])
        #expect(frames[0].isFinal && frames[0].isMasked && frames[0].opcode == 1 && frames[0].reserved == 0)
    }

    @Test("Every length has its form", arguments: [0, 1, 7, 8, 9, 125, 126, 127, 65_535, 65_536, 100_003])
    func lengths(_ length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for mask in [Self.mask, [0, 0, 0, 0], nil] {
            let frames = try Self.read([Self.frame(0x82, payload, mask: mask)[...]])
            #expect(frames.count == 1)
            #expect(Array(frames[0].payload.readableBytesView) == payload)
            #expect(frames[0].isMasked == (mask != nil))
        }
    }

    @Test("It does not matter where the network cuts")
    func cuts() throws {
        let bytes =
            Self.frame(0x01, Array("first ".utf8)) + Self.frame(0x89, [1, 2, 3])
            + Self.frame(0x80, [UInt8](repeating: 7, count: 300)) + Self.frame(0x88, [])
        for first in 1..<bytes.count {
            for second in [first, min(first + 1, bytes.count - 1), (first + bytes.count) / 2] {
                let frames = try Self.read([bytes[..<first], bytes[first..<second], bytes[second...]])
                #expect(frames.map(\.opcode) == [1, 9, 0, 8])
                #expect(frames.map(\.isFinal) == [false, true, true, true])
                #expect(frames.map(\.payload.readableBytes) == [6, 3, 300, 0])
            }
        }
        let single = try Self.read(bytes.indices.map { bytes[$0...$0] })
        #expect(single.count == 4)
    }

    @Test("What was read long ago is let go of, however the frames lie in what comes")
    func endless() throws {
        var reader = WebSocketFrameReader(frameBytes: 1_000)
        let bytes = Self.frame(0x82, [UInt8](repeating: 1, count: 700))
        var count = 0
        // Never at a frame's end.
        reader.append(ByteBuffer(bytes: bytes[..<10]))
        for _ in 0..<2_000 {
            reader.append(ByteBuffer(bytes: bytes[10...] + bytes[..<10]))
            while try reader.next() != nil { count += 1 }
            #expect(reader.heldBytes < 200_000)
        }
        #expect(count == 2_000)
    }

    @Test("Too long a frame, and control frames that are none, are refused")
    func refused() throws {
        let long = Self.frame(0x82, [UInt8](repeating: 1, count: 101))
        #expect(throws: WebSocketFrameReader.Failure.tooLarge) { try Self.read([long[...]], limit: 100) }
        // By the head alone.
        #expect(throws: WebSocketFrameReader.Failure.tooLarge) { try Self.read([long[..<2]], limit: 100) }
        let endless: [UInt8] = [0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(throws: WebSocketFrameReader.Failure.tooLarge) { try Self.read([endless[...]]) }
        let ping = Self.frame(0x89, [UInt8](repeating: 1, count: 126))
        #expect(throws: WebSocketFrameReader.Failure.badControl) { try Self.read([ping[...]]) }
        let part = Self.frame(0x09, [1])
        #expect(throws: WebSocketFrameReader.Failure.badControl) { try Self.read([part[...]]) }
    }
}

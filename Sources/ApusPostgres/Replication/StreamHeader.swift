#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What travels inside COPY while the server streams (PostgreSQL, "Streaming Replication Protocol").
enum StreamHeader {
    /// Bytes before the payload of `XLogData`: type, start, end, time.
    static let dataLength = 25

    /// A keepalive's position and whether it wants an answer; nil for what is none.
    static func keepalive(_ bytes: UnsafeRawBufferPointer) -> (end: LSN, wantsReply: Bool)? {
        guard bytes.count >= 18, bytes[0] == UInt8(ascii: "k") else { return nil }
        return (LSN(integer(bytes, 1)), bytes[17] == 1)
    }

    /// Where the server's log ended when it sent this data; nil for what is no `XLogData`.
    static func dataEnd(_ bytes: UnsafeRawBufferPointer) -> LSN? {
        guard bytes.count >= dataLength, bytes[0] == UInt8(ascii: "w") else { return nil }
        return LSN(integer(bytes, 9))
    }

    /// A standby status update: what has been received, and up to where the server may forget.
    static func status(received: LSN, flushed: LSN, wantsReply: Bool) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let microseconds =
            Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000 - PgOutputReader.postgresEpoch
        for value in [received.value, flushed.value, flushed.value, UInt64(bitPattern: microseconds)] {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(wantsReply ? 1 : 0)
        return bytes
    }

    private static func integer(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

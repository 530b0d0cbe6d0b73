#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Many WebSockets that listen, on one thread and with one buffer.
///
/// Messages of the measurements carry a mark, `~number~`, once each. The crowd decodes no JSON: it looks for marks in
/// the bytes, and adds up for every subscriber what it got. Afterwards ``mistakes(_:)`` compares that with what it should
/// have got.
final class Crowd {
    /// Which numbers a subscriber is to get.
    enum Share {
        case all
        /// Those that leave `remainder` when divided.
        case remainder(Int, of: Int)
        /// Those for which this gives the subscriber's own place.
        case owned((Int) -> Int)
    }

    private struct Subscriber {
        var descriptor: Int32
        var share: Share
        var phase = Phase.opening
        var received = 0
        /// Of hashes of the numbers received: what does not depend on their order, and is no accident for others.
        var sum: UInt64 = 0
        /// The number so far of a mark that the network cut in two.
        var cut: Int64?
        /// What came of the answers before it was ready.
        var opening: [UInt8] = []
        var hello: [[UInt8]]
    }

    private enum Phase { case opening, greeted, ready, failed }

    /// Deliveries since the start, or since ``count(arrivals:)``.
    private(set) var deliveries = 0
    private(set) var lastDelivery: Int64 = 0
    private(set) var bytesRead = 0
    /// Numbers with the times at which they came, if asked for.
    private(set) var arrivals: [(number: Int64, time: Int64)] = []
    private var keepsArrivals = false
    private var subscribers: [Subscriber] = []
    private var readiness = Readiness()
    private var ready = 0
    private var failures: [String] = []
    private let readyMark: [UInt8]
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// - Parameter readyMark: what stands in the answer that says that a subscription stands; empty: the handshake does.
    init(readyMark: String) { self.readyMark = Array(readyMark.utf8) }

    deinit { for subscriber in subscribers { close(subscriber.descriptor) } }

    // MARK: - Gathering

    /// Connects `count` subscribers and returns when every subscription stands.
    ///
    /// - Parameters:
    ///   - share: what the subscriber of this number is to get.
    ///   - hello: what it says first.
    func gather(
        _ count: Int, at target: Target, share: (Int) -> Share = { _ in .all }, hello: (Int) -> [[UInt8]]
    ) throws {
        // So many at once as a listening queue takes.
        for first in stride(from: 0, to: count, by: 100) {
            for number in first..<min(first + 100, count) {
                let descriptor = try Descriptor.connect(to: target)
                subscribers.append(
                    Subscriber(descriptor: descriptor, share: share(number), hello: hello(number)))
                readiness.add(descriptor, number: subscribers.count - 1)
                try Descriptor.send(target.upgrade, to: descriptor)
            }
            let wanted = subscribers.count
            try pump(seconds: 60) { ready + failures.count >= wanted }
            if let failure = failures.first { throw Failure("a subscriber failed: \(failure)") }
        }
    }

    /// Begins to count anew.
    func count(arrivals: Bool) {
        (deliveries, lastDelivery, bytesRead) = (0, 0, 0)
        for place in subscribers.indices { (subscribers[place].received, subscribers[place].sum) = (0, 0) }
        self.arrivals = []
        keepsArrivals = arrivals
    }

    /// How many subscribers have not got each of their own among these numbers exactly once, and nothing else.
    func mistakes(_ numbers: Range<Int>) -> Int {
        var expected: [Int: (count: Int, sum: UInt64)] = [:]
        func add(_ number: Int, _ key: Int) {
            expected[key, default: (0, 0)].count += 1
            expected[key, default: (0, 0)].sum &+= Self.hash(Int64(number))
        }
        for number in numbers {
            switch subscribers.first?.share {
            case .remainder(_, let divisor): add(number, number % divisor)
            case .owned(let owner): add(number, owner(number))
            case .all, nil: add(number, 0)
            }
        }
        return subscribers.enumerated().count { place, subscriber in
            let key =
                switch subscriber.share {
                case .all: 0
                case .remainder(let remainder, _): remainder
                case .owned: place
                }
            return expected[key] ?? (0, 0) != (subscriber.received, subscriber.sum)
        }
    }

    /// The finalizer of SplitMix64.
    private static func hash(_ number: Int64) -> UInt64 {
        var bits = UInt64(bitPattern: number) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    // MARK: - Listening

    /// Reads until something holds.
    ///
    /// - Throws: ``Failure`` after `seconds`.
    func pump(seconds: Int, until holds: () -> Bool) throws {
        let end = nanoseconds() + Int64(seconds) * 1_000_000_000
        while !holds() {
            guard nanoseconds() < end else { throw Failure("waited for \(seconds) seconds in vain") }
            pump(milliseconds: 10)
        }
    }

    /// Reads what has come; waits for it as long as this.
    func pump(milliseconds: Int32) {
        readiness.wait(milliseconds: milliseconds) { place in read(place) }
    }

    private func read(_ place: Int) {
        var count = buffer.count
        // What fills less than the buffer was all there is.
        while count == buffer.count, subscribers[place].phase != .failed {
            count = buffer.withUnsafeMutableBytes {
                recv(subscribers[place].descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count > 0 else { return fail(place, "the server closed the connection") }
            bytesRead += count
            if subscribers[place].phase == .ready {
                let now = nanoseconds()
                buffer.withUnsafeBytes { bytes in
                    scan(UnsafeRawBufferPointer(rebasing: bytes[..<count]), place, now)
                }
            } else {
                open(place, buffer[..<count])
            }
        }
    }

    // MARK: - Opening

    private func open(_ place: Int, _ bytes: ArraySlice<UInt8>) {
        subscribers[place].opening += bytes
        let all = subscribers[place].opening
        if subscribers[place].phase == .opening {
            guard let end = Self.end(of: Array("\r\n\r\n".utf8), in: all) else { return }
            guard all.starts(with: Array("HTTP/1.1 101".utf8)) else {
                return fail(place, String(decoding: all.prefix(300), as: UTF8.self))
            }
            subscribers[place].phase = .greeted
            subscribers[place].opening.removeFirst(end)
            for message in subscribers[place].hello {
                try? Descriptor.send(ClientFrame.encode(message), to: subscribers[place].descriptor)
            }
        }
        let rest = subscribers[place].opening
        if Self.end(of: readyMark, in: rest) != nil {
            subscribers[place].phase = .ready
            subscribers[place].opening = []
            subscribers[place].hello = []
            ready += 1
        } else if Self.end(of: Array(#""status":"error""#.utf8), in: rest) != nil {
            fail(place, String(decoding: rest.prefix(300), as: UTF8.self))
        }
    }

    private func fail(_ place: Int, _ reason: String) {
        subscribers[place].phase = .failed
        failures.append(reason)
        close(subscribers[place].descriptor)
        subscribers[place].descriptor = -1
    }

    /// Behind the first occurrence.
    private static func end(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { bytes[$0...].starts(with: needle) }
            .map { $0 + needle.count }
    }

    // MARK: - Marks

    private func scan(_ bytes: UnsafeRawBufferPointer, _ place: Int, _ now: Int64) {
        guard let base = bytes.baseAddress else { return }
        var position = 0
        if let cut = subscribers[place].cut {
            subscribers[place].cut = nil
            position = number(bytes, from: 0, begun: cut, place, now)
        }
        while position < bytes.count, let found = memchr(base + position, 0x7E, bytes.count - position) {
            position = number(bytes, from: UnsafeRawPointer(found) - base + 1, begun: 0, place, now)
        }
    }

    /// Reads a mark's number and its end. Returns where to go on.
    private func number(
        _ bytes: UnsafeRawBufferPointer, from start: Int, begun: Int64, _ place: Int, _ now: Int64
    ) -> Int {
        var position = start
        var number = begun
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            number = number * 10 + Int64(bytes[position] - 0x30)
            position += 1
        }
        guard position < bytes.count else {
            subscribers[place].cut = number
            return position
        }
        guard bytes[position] == 0x7E else { return position }
        deliver(number, place, now)
        return position + 1
    }

    private func deliver(_ number: Int64, _ place: Int, _ now: Int64) {
        subscribers[place].received += 1
        subscribers[place].sum &+= Self.hash(number)
        deliveries += 1
        lastDelivery = now
        if keepsArrivals { arrivals.append((number, now)) }
    }
}

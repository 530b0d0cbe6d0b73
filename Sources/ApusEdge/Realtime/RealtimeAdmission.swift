import ApusRealtime
import NIOCore
import Synchronization

/// Who may open a WebSocket: so many there are at once, and so many an address opens in a second.
final class RealtimeAdmission: Sendable {
    private let limit: Int
    private let handshakes: Int
    private let count = Atomic<Int>(0)
    private let windows = Mutex(Windows())

    private struct Windows {
        var ofAddress: [String: RateWindow] = [:]
        var nextSweep = Int64.min
    }

    private static let second: Int64 = 1_000_000_000
    /// Of how many addresses it is counted what they open. If more come within a second, what the others open is not: those
    /// that have opened too many must not get out by having many come.
    static let mostAddresses = 10_000

    init(_ settings: RealtimeSettings) {
        limit = settings.connections
        handshakes = settings.handshakesPerSecond
    }

    /// Why a handshake is refused; nil when it is not.
    ///
    /// - Parameter now: nanoseconds of a clock that only runs forward.
    func refusal(
        of address: String, now: Int64 = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
    ) -> ChannelFault? {
        if limit > 0, count.load(ordering: .relaxed) >= limit { return Self.tooMany }
        guard handshakes > 0 else { return nil }
        let isAdmitted = windows.withLock { windows in
            guard Self.makeRoom(for: address, now, &windows) else { return true }
            return windows.ofAddress[address, default: RateWindow()].admit(
                now: now, length: Self.second, limit: handshakes)
        }
        return isAdmitted ? nil : Self.tooFast
    }

    /// Counts a connection that has opened.
    ///
    /// - Returns: whether there is room for it: many at once may pass the handshake.
    func enter() -> Bool {
        let number = count.add(1, ordering: .relaxed).newValue
        return limit == 0 || number <= limit
    }

    func leave() { count.subtract(1, ordering: .relaxed) }

    /// Whether one that found no room has it now.
    var hasRoom: Bool { limit == 0 || count.load(ordering: .relaxed) <= limit }

    /// Forgets those whose second is over, at the most once a second.
    ///
    /// - Returns: whether there is room.
    private static func makeRoom(for address: String, _ now: Int64, _ windows: inout Windows) -> Bool {
        if windows.ofAddress.count < mostAddresses || windows.ofAddress[address] != nil { return true }
        guard now >= windows.nextSweep else { return false }
        windows.nextSweep = now + second
        windows.ofAddress = windows.ofAddress.filter { !$0.value.isOver(now: now, length: second) }
        return windows.ofAddress.count < mostAddresses
    }

    static let tooMany = ChannelFault(.connectionRate, "Too many connected clients")
    private static let tooFast = ChannelFault(.connectionRate, "Too many connections per second")
}

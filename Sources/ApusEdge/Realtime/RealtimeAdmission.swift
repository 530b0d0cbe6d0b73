import ApusRealtime
import NIOCore
import Synchronization

/// Who may open a WebSocket: so many there are at once, and so many an address opens in a second.
final class RealtimeAdmission: Sendable {
    private let limit: Int
    private let handshakes: Int
    private let count = Atomic<Int>(0)
    private let windows = Mutex<[String: RateWindow]>([:])

    /// More addresses are forgotten: those that opened something within the last second are few.
    private static let mostAddresses = 10_000

    init(_ settings: RealtimeSettings) {
        limit = settings.connections
        handshakes = settings.handshakesPerSecond
    }

    /// Why a handshake is refused; nil when it is not.
    func refusal(of address: String) -> ChannelFault? {
        if limit > 0, count.load(ordering: .relaxed) >= limit { return Self.tooMany }
        guard handshakes > 0 else { return nil }
        let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        let isAdmitted = windows.withLock { windows in
            if windows.count >= Self.mostAddresses, windows[address] == nil { windows = [:] }
            return windows[address, default: RateWindow()].admit(
                now: now, length: 1_000_000_000, limit: handshakes)
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

    static let tooMany = ChannelFault(.connectionRate, "Too many connected clients")
    private static let tooFast = ChannelFault(.connectionRate, "Too many connections per second")
}

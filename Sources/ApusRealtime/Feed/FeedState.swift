package import ApusFaults

/// How the feed is.
package enum FeedState: Sendable {
    /// It has not yet said that it works or why it does not.
    case starting
    /// Changes arrive: read from the slot by this node, or by another and brought by the bus.
    case running(isReader: Bool)
    /// Another node reads the slot, and there is no bus that brings what it reads.
    case standby
    /// Changes do not arrive; the fault says what is missing and how to mend it.
    case unavailable(Fault)
    /// Switched off by the configuration.
    case off

    package var isRunning: Bool {
        if case .running = self { true } else { false }
    }

    /// Why it does not run, for people; nil while it runs.
    package var reason: String? {
        switch self {
        case .running: nil
        case .starting: "The change feed is starting."
        case .standby: "Another node reads the change feed, and no bus brings it here (realtime-bus)."
        case .unavailable(let fault): fault.message
        case .off: "The change feed is switched off (realtime-enabled)."
        }
    }
}

/// The two serializations of Phoenix channels that clients speak, chosen by `vsn` in the URL.
package enum ChannelVersion: Sendable, Hashable, CaseIterable {
    /// `1.0.0`: JSON objects.
    case one
    /// `2.0.0`: JSON arrays and binary frames.
    case two

    /// nil for a version that is not spoken; without one it is 1.0.0.
    package init?(_ text: String?) {
        switch text {
        case nil, "", "1.0.0": self = .one
        case "2.0.0": self = .two
        default: return nil
        }
    }
}

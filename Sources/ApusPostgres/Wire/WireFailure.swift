/// Why the machinery under a connection could not be had.
package enum WireFailure: Error, Sendable {
    /// A system call failed; `errno` is its reason.
    case system(call: String, errno: Int32)

    /// One line for the log.
    package var message: String {
        switch self {
        case .system(let call, let errno): "\(call) failed with error \(errno)"
        }
    }
}

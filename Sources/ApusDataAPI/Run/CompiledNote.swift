import Synchronization

/// A place beside a compiled request where another room keeps what it derived from it, so that it need not be looked up
/// by a table of its own.
package final class CompiledNote: Sendable {
    private let content = Mutex<(any AnyObject & Sendable)?>(nil)

    package var value: (any AnyObject & Sendable)? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}

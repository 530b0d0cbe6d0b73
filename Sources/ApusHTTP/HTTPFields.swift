package import NIOHTTP1
import Synchronization

/// The header fields of a request.
///
/// An object, because the requests of a connection mostly come with equal ones: such requests share it, and what was
/// made of the fields for the first of them serves all (``memo(make:)``).
package final class HTTPFields: Sendable {
    /// All fields, in the order in which they came.
    package let headers: HTTPHeaders
    /// `X-Request-Id`, where it may stand in a log.
    let requestID: RequestID?
    private let kept = Mutex<(any AnyObject & Sendable)?>(nil)

    package init(_ headers: HTTPHeaders) {
        self.headers = headers
        requestID = headers.first(name: "x-request-id").flatMap { RequestID(given: $0) }
    }

    /// What a layer above made of the fields; made now when it is asked for the first time, or when somebody else's was
    /// kept.
    package func memo<Memo: AnyObject & Sendable>(
        of type: Memo.Type, fits: (Memo) -> Bool, make: () -> Memo
    ) -> Memo {
        kept.withLock { kept in
            if let known = kept as? Memo, fits(known) { return known }
            let made = make()
            kept = made
            return made
        }
    }
}

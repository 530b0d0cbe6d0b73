package import ApusJSON
import Synchronization

/// What changes while a server runs about which tokens hold: the keys of its own authentication, and the sessions
/// that ended before their tokens did.
///
/// One object for all verifiers of a process. A verifier asks it for everything only when it meets a token for the
/// first time; for a token that it knows, it compares one number, ``version``, which grows with every change.
package final class TokenTrust: Sendable {
    private struct State {
        var keys: [VerificationKey] = []
        /// Grows when a key went away: what was verified before must be verified again.
        var keysVersion = 0
        /// Session → when it can be forgotten, seconds since 1970: no token of it holds any longer.
        var ended: [String: Int64] = [:]
        /// Ended sessions in the order in which they became known; the first has the number `firstEnding`.
        var endings: [String] = []
        var firstEnding = 0
        var listeners: [Int: @Sendable ([String]) -> Void] = [:]
        var lastListener = 0
    }

    private let state = Mutex(State())
    private let counter = Atomic<Int>(0)

    /// Endings that a verifier which lags behind still finds one by one; further behind, it forgets everything.
    private static let endingsKept = 100_000

    /// Keys of apps and backends; one that goes away is ended like a session.
    package let apiKeys = APIKeySet()

    package init() {}

    /// Grows with every change.
    package var version: Int { counter.load(ordering: .acquiring) }

    // MARK: - Keys

    /// Takes over the public keys that hold from now on.
    ///
    /// - Parameters:
    ///   - keys: JSON Web Keys; one that cannot be read is left out.
    ///   - isSmaller: whether a key that held no longer does.
    package func replaceKeys(_ keys: [JSONObject], isSmaller: Bool) {
        let read = keys.compactMap { try? JSONWebKey.read($0) }
        state.withLock { state in
            state.keys = read
            if isSmaller { state.keysVersion += 1 }
        }
        counter.add(1, ordering: .releasing)
    }

    /// Whether there is any key.
    var hasKeys: Bool { state.withLock { !$0.keys.isEmpty } }

    /// Whether one of the keys signed the token; nil when none fits it.
    func verifies(_ token: CompactToken) -> Bool? {
        let keys = state.withLock { $0.keys }
        var anyFits = false
        for key in keys where key.fits(token) {
            if key.verifies(token) { return true }
            anyFits = true
        }
        return anyFits ? false : nil
    }

    /// The claims of a token that one of the keys signed; nil for any other. Whether they hold, and still do, is the
    /// caller's to say.
    ///
    /// - Parameter type: what `typ` has to be (RFC 8725 §3.11); nil: anything but an access token of a third party.
    package func claims(ofSigned token: String, type: String? = nil) -> JSONObject? {
        guard token.utf8.count <= 8192,
            let compact = Array(token.utf8).withUnsafeBytes({ try? CompactToken($0) }),
            type.map({ $0 == compact.type }) ?? (compact.type != "at+jwt"), verifies(compact) == true
        else { return nil }
        return try? JSONReader.read(compact.payload).object
    }

    /// Takes over the API keys that hold from now on.
    ///
    /// - Parameter forgottenAt: when whatever was known about those that are gone has been forgotten by itself.
    package func replaceAPIKeys(_ keys: [APIKey], forgottenAt: Int64) {
        let gone = apiKeys.replace(keys)
        if !gone.isEmpty { end(sessions: gone, forgottenAt: forgottenAt) }
    }

    // MARK: - Sessions

    /// Ends sessions: from now on no token of theirs holds, here.
    ///
    /// - Parameters:
    ///   - sessions: ids as `session_id` carries them, in lower case.
    ///   - forgottenAt: when their last token has ended, seconds since 1970.
    package func end(sessions: [String], forgottenAt: Int64) {
        let listeners: [@Sendable ([String]) -> Void] = state.withLock { state in
            for session in sessions where state.ended.updateValue(forgottenAt, forKey: session) == nil {
                state.endings.append(session)
            }
            let surplus = state.endings.count - Self.endingsKept
            if surplus > 0 {
                state.endings.removeFirst(surplus)
                state.firstEnding += surplus
            }
            return Array(state.listeners.values)
        }
        counter.add(1, ordering: .releasing)
        for listener in listeners { listener(sessions) }
    }

    /// Forgets sessions whose tokens have all ended.
    package func forget(before now: Int64) {
        state.withLock { state in
            state.ended = state.ended.filter { $0.value > now }
        }
    }

    /// Whether this session has ended, as far as this node knows.
    package func hasEnded(session: String) -> Bool { state.withLock { $0.ended[session] != nil } }

    /// Calls `listener` with sessions that end from now on; for connections that outlive a request.
    ///
    /// - Returns: what stops it.
    package func onEnd(_ listener: @escaping @Sendable ([String]) -> Void) -> @Sendable () -> Void {
        let number = state.withLock { state in
            state.lastListener += 1
            state.listeners[state.lastListener] = listener
            return state.lastListener
        }
        return { [weak self] in self?.state.withLock { $0.listeners[number] = nil } }
    }

    // MARK: - For verifiers

    /// What a verifier has to forget, which has seen everything up to here.
    struct Position {
        var version = 0
        var keysVersion = 0
        var ending = 0
    }

    enum Change {
        case everything
        case sessions(ArraySlice<String>)
    }

    /// What happened since `position`, which is moved to now.
    func changes(since position: inout Position) -> Change {
        let version = version
        return state.withLock { state in
            defer {
                position = Position(
                    version: version, keysVersion: state.keysVersion,
                    ending: state.firstEnding + state.endings.count)
            }
            guard state.keysVersion == position.keysVersion, position.ending >= state.firstEnding else {
                return .everything
            }
            return .sessions(state.endings[(position.ending - state.firstEnding)...])
        }
    }
}

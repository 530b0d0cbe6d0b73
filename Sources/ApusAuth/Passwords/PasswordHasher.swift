import CArgon2
import Crypto
import Dispatch
import Synchronization

/// Hashes and checks passwords with Argon2id (RFC 9106), on threads of its own.
///
/// A hash takes tens of milliseconds and megabytes by intention. So no event loop and no thread of Swift's pool does
/// it, only as many run at once as there are workers, and only so many may wait: with more, everybody would wait longer
/// than a client does.
package final class PasswordHasher: Sendable {
    /// Cost of a new hash. RFC 9106 §4 leaves the choice; these are OWASP's least.
    package struct Cost: Sendable, Equatable {
        /// KiB
        package var memory: UInt32
        /// Passes over the memory.
        package var passes: UInt32
        package var lanes: UInt32

        package init(memory: UInt32 = 19_456, passes: UInt32 = 2, lanes: UInt32 = 1) {
            self.memory = memory
            self.passes = passes
            self.lanes = lanes
        }
    }

    private let cost: Cost
    private let waitingLimit: Int
    private let queues: [DispatchQueue]
    private let load: Mutex<[Int]>
    /// What an unknown user's password is checked against, so that it takes as long as a known one's.
    private let dummy: String

    private let signerKeys: SignerKeys

    /// - Parameters:
    ///   - workers: hashes at once.
    ///   - waitingLimit: hashes that may wait; the next is refused.
    ///   - signerKeys: for the hashes of users who came from Firebase.
    package init(cost: Cost = Cost(), workers: Int, waitingLimit: Int, signerKeys: SignerKeys = .none) {
        self.cost = cost
        self.signerKeys = signerKeys
        self.waitingLimit = waitingLimit
        queues = (0..<max(1, workers)).map {
            DispatchQueue(label: "apus.password.\($0)", qos: .userInitiated)
        }
        load = Mutex(Array(repeating: 0, count: max(1, workers)))
        dummy = Argon2.encode(RandomBytes.make(16), RandomBytes.make(32), cost)
    }

    /// A PHC string for a new password.
    ///
    /// - Throws: ``AuthFault`` when too many wait already.
    package func hash(_ password: String) async throws -> String {
        let cost = cost
        return try await run { Argon2.hash(Array(password.utf8), cost) } ?? { throw AuthFault.unexpected }()
    }

    /// Whether a password belongs to a hash. Without a hash it takes as long and says no.
    ///
    /// - Throws: ``AuthFault`` when too many wait already.
    package func verify(_ password: String, against hash: String?) async throws -> Bool {
        let known = hash ?? dummy
        let signerKeys = signerKeys
        await signerKeys.prepare(for: known)
        let isRight = try await run { StoredPassword.verify(Array(password.utf8), known, signerKeys) }
        return isRight && hash != nil
    }

    /// Whether a stored hash is weaker than, or of another kind than, what ``hash(_:)`` makes.
    package func isOutdated(_ hash: String) -> Bool {
        guard let parameters = Argon2.Parameters(hash) else { return true }
        return !parameters.isID || parameters.cost.memory < cost.memory
            || parameters.cost.passes < cost.passes
    }

    // MARK: - Non public

    private func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async throws -> R {
        let chosen: Int? = load.withLock { load in
            guard load.reduce(0, +) < waitingLimit + load.count,
                let least = load.indices.min(by: { load[$0] < load[$1] })
            else { return nil }
            load[least] += 1
            return least
        }
        guard let chosen else {
            throw AuthFault.tooOften("over_request_rate_limit", "Too many sign-ins at once", retryAfter: 1)
        }
        let clock = RequestClock.current
        clock?.pause()
        return await withCheckedContinuation { continuation in
            queues[chosen].async {
                clock?.resume()
                let result = work()
                self.load.withLock { $0[chosen] -= 1 }
                continuation.resume(returning: result)
            }
        }
    }
}

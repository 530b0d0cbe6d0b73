package import NIOCore
import Synchronization

/// Hands mail to a server over connections that are kept open for the next message.
package final class SMTPTransport: Sendable {
    private struct Idle {
        let client: SMTPClient
        let since: ContinuousClock.Instant
        let messages: Int
    }

    /// Servers close idle connections themselves, often after a minute; before that we do.
    private static let idleLimit = Duration.seconds(20)
    /// After that many messages a new connection is made: some servers count.
    private static let messageLimit = 100

    private let settings: SMTPSettings
    private let group: any EventLoopGroup
    private struct State {
        var idle: [Idle] = []
        /// Whether a task closes what gets old.
        var isSwept = false
    }

    private let state = Mutex(State())

    package init(_ settings: SMTPSettings, group: any EventLoopGroup) {
        self.settings = settings
        self.group = group
    }

    /// Returns when the server has taken responsibility for it (RFC 5321 §6.1). Callers limit how many run at once;
    /// that is also how many connections there are.
    package func send(_ mail: OutgoingMail) async throws(DeliveryFailure) {
        let (client, messages) = try await lend()
        do throws(DeliveryFailure) {
            try await client.send(mail)
        } catch {
            // After a refusal the next message begins anew; after anything else who knows what is on the way.
            if error.kind == .permanent { giveBack(client, messages + 1) } else { client.close() }
            throw error
        }
        giveBack(client, messages + 1)
    }

    /// Closes what is open and idle.
    package func close() async {
        for idle in takeAll() { await idle.client.quit() }
    }

    // MARK: - Non public

    private func lend() async throws(DeliveryFailure) -> (SMTPClient, messages: Int) {
        while let kept = state.withLock({ $0.idle.popLast() }) {
            let isFresh = ContinuousClock.now - kept.since < Self.idleLimit
            if isFresh, kept.messages < Self.messageLimit, await kept.client.isAlive() {
                return (kept.client, kept.messages)
            }
            await kept.client.quit()
        }
        return (try await SMTPClient.open(settings, group: group), 0)
    }

    private func giveBack(_ client: SMTPClient, _ messages: Int) {
        guard client.isOpen else { return }
        let isFirst = state.withLock { state in
            state.idle.append(Idle(client: client, since: .now, messages: messages))
            defer { state.isSwept = true }
            return !state.isSwept
        }
        guard isFirst else { return }
        let find: @Sendable () -> SMTPTransport? = { [weak self] in self }
        Task { await Self.sweep(find) }
    }

    /// Closes what nobody comes for again, until nothing is left.
    private static func sweep(_ transport: @Sendable () -> SMTPTransport?) async {
        while true {
            try? await Task.sleep(for: idleLimit)
            guard let transport = transport() else { return }
            let (old, isDone) = transport.takeOld()
            for idle in old { await idle.client.quit() }
            if isDone { return }
        }
    }

    private func takeOld() -> ([Idle], isDone: Bool) {
        state.withLock { state in
            let now = ContinuousClock.now
            let old = state.idle.filter { now - $0.since >= Self.idleLimit }
            state.idle.removeAll { now - $0.since >= Self.idleLimit }
            state.isSwept = !state.idle.isEmpty
            return (old, !state.isSwept)
        }
    }

    private func takeAll() -> [Idle] {
        state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
    }
}

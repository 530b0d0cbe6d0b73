import Logging

/// `LISTEN`, on a connection of its own for each listener.
extension Reactor {
    func listen(_ listener: Listener) {
        guard stopsAt == nil else { return listener.finish() }
        listeners[ObjectIdentifier(listener)] = ListenerState(listener: listener)
        connect(listener)
    }

    func unlisten(_ listener: Listener) {
        listener.finish()
        guard let state = listeners.removeValue(forKey: ObjectIdentifier(listener)) else { return }
        if let wire = state.wire {
            poller.remove(wire.socket)
            listenerTokens[state.token] = nil
        }
    }

    func listenerConnected(_ listener: Listener, _ result: Result<WireConnection, Connector.Failure>) {
        // Not there any more: the wire closes with its last reference.
        guard var state = listeners[ObjectIdentifier(listener)] else { return }
        switch result {
        case .success(let wire):
            lastListenerToken += 1
            state.token = lastListenerToken
            state.wire = wire
            state.backoff.reset()
            state.yield(.reconnected)
            listenerTokens[state.token] = ObjectIdentifier(listener)
            poller.add(wire.socket, token: state.token)
        case .failure(let failure):
            logger.debug(
                "Cannot listen to PostgreSQL", metadata: ["reason": "\(failure.message)"])
            retryLater(&state)
        }
        listeners[ObjectIdentifier(listener)] = state
        // Something may have come with the answers to LISTEN.
        if state.wire != nil { hear(ObjectIdentifier(listener)) }
    }

    /// Takes the messages that have arrived.
    func hear(_ identity: ObjectIdentifier) {
        guard var state = listeners[identity], let wire = state.wire else { return }
        let isAlive = wire.consumeInput()
        while let notification = wire.nextNotification() { state.yield(notification) }
        if !isAlive || wire.isBroken {
            poller.remove(wire.socket)
            listenerTokens[state.token] = nil
            state.wire = nil
            retryLater(&state)
        }
        listeners[identity] = state
    }

    func lookAtListeners() {
        for (identity, state) in listeners where state.retryAt != .never {
            if state.retryAt > now {
                wake(at: state.retryAt)
            } else {
                listeners[identity]?.retryAt = .never
                connect(state.listener)
            }
        }
    }

    // MARK: - Non public

    private func retryLater(_ state: inout ListenerState) {
        var generator = SystemRandomNumberGenerator()
        state.retryAt = now + state.backoff.next(using: &generator)
        wake(at: state.retryAt)
    }

    private func connect(_ listener: Listener) {
        let (connector, mailbox) = (connector, mailbox)
        do throws(WireFailure) {
            try detachThread {
                let result = Result { () throws(Connector.Failure) in
                    try connector.connect(listeningTo: listener.channels)
                }
                mailbox.post(.listenerConnected(listener, result))
            }
        } catch {
            listenerConnected(listener, .failure(Connector.Failure(message: error.message)))
        }
    }
}

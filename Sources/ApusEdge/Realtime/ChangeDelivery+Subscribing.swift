import ApusFaults
import ApusPostgres
import ApusRealtime
import Synchronization

/// Channels come and go.
extension ChangeDelivery {
    /// Seats for all entries of a channel. From its return on, every change that commits is looked at for them, and
    /// reaches the channel when it has taken its seats.
    func reserve(
        _ changes: [JoinRequest.Changes], topic: String, version: ChannelVersion, principal: Principal
    ) async throws(ChannelFault) -> [ChangeSeat] {
        var seats: [ChangeSeat] = []
        for (binding, entry) in zip(ChangeBinding.ids(of: changes), changes) {
            do throws(ChannelFault) {
                let group = try await group(of: entry, principal)
                let form = ChangeMessage.Form(topic: topic, version: version, select: entry.select)
                seats.append(ChangeSeat(group: group, form: form, binding: binding))
            } catch {
                release(seats)
                throw error
            }
        }
        return seats
    }

    /// From now on the channel is told. On its event loop.
    func take(_ seats: [ChangeSeat], _ channel: RealtimeChannel) {
        leave(channel)
        channel.seats = seats
        let shard = channel.connection.shard
        state.withLock { _ in
            for place in seats.indices {
                let seat = seats[place]
                if seats.count > 1 {
                    let key = ChangeGroup.MixedKey(channel: ObjectIdentifier(channel), binding: seat.binding)
                    seat.group.mixed[key] = (channel, seat.form)
                } else {
                    channel.seats[place].route = seat.group.admit(seat, to: shard)
                }
            }
        }
        if let route = channel.seats.first?.route { shard.follow(route, channel) }
    }

    /// On the channel's event loop.
    func leave(_ channel: RealtimeChannel) {
        let seats = channel.seats
        guard !seats.isEmpty else { return }
        channel.seats = []
        let shard = channel.connection.shard
        if let route = seats.first?.route { shard.unfollow(route, channel) }
        state.withLock { _ in
            for seat in seats {
                if let route = seat.route {
                    seat.group.dismiss(route, from: shard)
                } else {
                    let key = ChangeGroup.MixedKey(channel: ObjectIdentifier(channel), binding: seat.binding)
                    seat.group.mixed[key] = nil
                }
            }
        }
        release(seats)
    }

    /// Gives up seats that no channel has taken, or that one has left.
    func release(_ seats: [ChangeSeat]) {
        let unused = state.withLock { state in
            seats.compactMap { seat -> UInt64? in
                let group = seat.group
                group.members -= 1
                guard group.members == 0 else { return nil }
                if state.groups[group.key] === group { state.groups[group.key] = nil }
                guard let id = group.subscription else { return nil }
                state.bySubscription[id] = nil
                return id
            }
        }
        guard !unused.isEmpty else { return }
        let subscriptions = subscriptions
        Task { for id in unused { await subscriptions.remove(id) } }
    }

    // MARK: - Non public

    /// The group of an entry, with one member more, standing.
    private func group(
        of entry: JoinRequest.Changes, _ principal: Principal
    ) async throws(ChannelFault) -> ChangeGroup {
        let key = ChangeGroupKey(entry, principal)
        let (group, adding) = state.withLock { state in
            if let known = state.groups[key] {
                known.members += 1
                return (known, known.adding)
            }
            let made = ChangeGroup(key)
            made.adding = Task { await self.stand(made, entry, principal) }
            state.groups[key] = made
            return (made, made.adding)
        }
        if case .failure(let fault)? = await adding?.value { throw fault }
        return group
    }

    private func stand(
        _ group: ChangeGroup, _ entry: JoinRequest.Changes, _ principal: Principal
    ) async -> Result<UInt64, ChannelFault> {
        let result: Result<UInt64, ChannelFault>
        do throws(ChannelFault) {
            result = .success(try await add(entry, principal))
        } catch {
            result = .failure(error)
        }
        let isUnused = state.withLock { state in
            group.adding = nil
            guard case .success(let id) = result else {
                if state.groups[group.key] === group { state.groups[group.key] = nil }
                return false
            }
            // Everybody may have left meanwhile.
            guard group.members > 0 else { return true }
            group.subscription = id
            state.bySubscription[id] = group
            return false
        }
        if isUnused, case .success(let id) = result { await subscriptions.remove(id) }
        return result
    }

    private func add(
        _ entry: JoinRequest.Changes, _ principal: Principal
    ) async throws(ChannelFault) -> UInt64 {
        var filter = RowFilter()
        if let text = entry.filter { filter = RowFilter(try ChangeFilter(text)) }
        let subscription = RowSubscription(
            schema: entry.schema, table: entry.table, kinds: Self.kinds(entry.event), filter: filter,
            principal: principal, comparesOldRows: true)
        do throws(Fault) {
            return try await subscriptions.add(subscription)
        } catch {
            throw ChannelFault(
                .unableToSubscribe,
                "Unable to subscribe to changes with given parameters. \(error.message)")
        }
    }

    private static func kinds(_ event: ChangeEvent) -> Set<RowChange.Kind> {
        Set([.insert, .update, .delete].filter { event.covers($0) })
    }
}

/// Under the lock of ``ChangeDelivery``.
extension ChangeGroup {
    /// The route of a seat, with one reader more on the shard.
    fileprivate func admit(_ seat: ChangeSeat, to shard: RealtimeShard) -> ChangeRoute {
        let route = ChangeRoute(seat.form, binding: seat.binding)
        return add(1, shard, &routes[route.key, default: (route, [])])
    }

    private func add(
        _ count: Int, _ shard: RealtimeShard,
        _ entry: inout (route: ChangeRoute, audience: [(shard: RealtimeShard, count: Int)])
    ) -> ChangeRoute {
        if let known = entry.audience.firstIndex(where: { $0.shard === shard }) {
            entry.audience[known].count += count
            if entry.audience[known].count == 0 { entry.audience.remove(at: known) }
        } else {
            entry.audience.append((shard, count))
        }
        return entry.route
    }

    fileprivate func dismiss(_ route: ChangeRoute, from shard: RealtimeShard) {
        let key = route.key
        guard routes[key] != nil else { return }
        _ = add(-1, shard, &routes[key, default: (route, [])])
        if routes[key]?.audience.isEmpty == true { routes[key] = nil }
    }
}

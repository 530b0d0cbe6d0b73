import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusPostgres
import ApusREST
import ApusRealtime
import NIOCore
import NIOHTTP1

/// Reads that the change feed helps with (`docs/live.md`).
extension RESTEndpoint {
    /// Answers a read from memory, with `304`, or from the database in a way that makes the next one quicker.
    ///
    /// - Returns: false when the read has to be answered as if there were no feed.
    func answerLive(
        _ live: LiveReads, _ compiled: CompiledRequest, _ request: DataRequest, shapeKey: [UInt8],
        _ call: RESTCall
    ) throws(Fault) -> Bool {
        if !call.isUnderstood, live.isUseful, ReadProfile.of(compiled, live.reaches) == nil {
            understand(live, compiled, request, call)
            return true
        }
        guard let read = LiveRead(compiled, request, shapeKey: shapeKey, fields: call.fields, live),
            read.reading != nil
        else { return false }
        if let tag = read.unchangedTag(live) {
            if call.waitSeconds > 0 {
                wait(live, read, tag, call)
            } else {
                respond(notModified: tag, call)
            }
            return true
        }
        if read.mayUseFeed, live.settings.cacheBytes > 0,
            let kept = live.cache.find(read.key) as? LiveReads.Kept
        {
            respond(kept, read, call)
            return true
        }
        try ask(live, read, call)
        return true
    }

    /// Answers a write, and tells its position, so that the writer's next reads can be checked against it.
    func answerWrite(
        _ live: LiveReads, _ result: Result<Answer, Fault>, _ principal: Principal, _ call: RESTCall
    ) {
        guard case .success = result else { return call.exchange.respond(response(result, call)) }
        let positions = lanes.positions(for: call.exchange.eventLoop)
        live.position(afterWriteOf: principal, by: positions) { [self] position in
            call.position = position
            call.exchange.respond(response(result, call))
        }
    }

    /// The position after a write that has committed; nil where nobody needs it.
    func position(afterWriteOf principal: Principal) async -> LSN? {
        guard let live, live.tellsPositions else { return nil }
        return await withCheckedContinuation { continuation in
            live.position(afterWriteOf: principal) { continuation.resume(returning: $0) }
        }
    }

    // MARK: - Non public

    /// Finds out what a read depends on, which is not known after a change of the schema, and goes on with it.
    private func understand(
        _ live: LiveReads, _ compiled: CompiledRequest, _ request: DataRequest, _ call: RESTCall
    ) {
        call.isUnderstood = true
        Task { [self] in
            await live.reaches.find(ReadProfile.named(compiled))
            call.exchange.eventLoop.execute {
                do throws(Fault) {
                    try self.run(compiled, request, call, shapeKey: call.shapeKey)
                } catch {
                    self.finish(call, error)
                }
            }
        }
    }

    /// Asks the database.
    private func ask(_ live: LiveReads, _ read: LiveRead, _ call: RESTCall) throws(Fault) {
        if observe.looksIntoSlowRequests { call.work = RESTCall.Work(read.compiled, read.request) }
        call.timing.begin()
        let stop = try ask(read.compiled, read.request, on: call.exchange.eventLoop) { [self] result in
            call.timing.end(.transaction)
            call.timing.begin()
            receive(result, live, read, call)
        }
        call.exchange.onAbandon(stop)
    }

    private func receive(
        _ result: Result<Answer, Fault>, _ live: LiveReads, _ read: LiveRead, _ call: RESTCall
    ) {
        guard case .success(let answer) = result, let reading = read.reading,
            var response = try? AnswerResponse(
                answer, canonicalQuery: canonicalQuery(of: call.exchange.request.query)
            ).make(),
            response.status == 200 || response.status == 206, response.hasBody
        else { return call.exchange.respond(self.response(result, call)) }
        guard !read.mentionsMoments else {
            let asked = ContentAsk(compiled: read.compiled, request: read.request, reading: reading)
            return respond(response, live, asked, call)
        }
        let tag = EntityTag(reading: reading, key: read.keyHash, body: response.body.contentHash)
        response.fields.append(.init("ETag", tag.text))
        keep(response, tag, live, read)
        if read.tags.contains(where: { $0.body == tag.body }) {
            if call.waitSeconds > 0 { return wait(live, read, tag, call) }
            return respond(notModified: tag, call)
        }
        call.exchange.respond(complete(response, call))
    }

    private func keep(_ response: RESTResponse, _ tag: EntityTag, _ live: LiveReads, _ read: LiveRead) {
        guard live.settings.cacheBytes > 0, response.body.count <= live.cache.largest,
            live.cache.isWorthKeeping(hash: read.keyHash)
        else { return }
        var response = response
        response.body = .bytes(response.body.copied)
        live.cache.insert(
            LiveReads.Kept(response: response, tag: tag), bytes: response.body.count + 512, for: read.key,
            read.dependence
        ) {
            live.clock.isUnchanged(read.profile.relations, since: tag.reading)
        }
    }

    private func respond(_ kept: LiveReads.Kept, _ read: LiveRead, _ call: RESTCall) {
        if read.tags.contains(where: { $0.body == kept.tag.body }) {
            if call.waitSeconds > 0, let live { return wait(live, read, kept.tag, call) }
            return respond(notModified: kept.tag, call)
        }
        call.exchange.respond(complete(kept.response, call))
    }

    func respond(notModified tag: EntityTag, _ call: RESTCall) {
        var fields: [HeaderField] = [.init("ETag", tag.text), .init("Vary", "Accept, Prefer, Range")]
        if call.waitSeconds > 0 { fields.append(.init("Preference-Applied", "wait=\(call.waitSeconds)")) }
        call.exchange.respond(complete(RESTResponse(status: 304, fields: fields, hasBody: false), call))
    }

    /// Holds the request until something that it reads changes, and then answers it anew; or until its time is over.
    private func wait(_ live: LiveReads, _ read: LiveRead, _ tag: EntityTag, _ call: RESTCall) {
        let loop = call.exchange.eventLoop
        let seconds = call.waitSeconds
        let left = TimeAmount.seconds(Int64(seconds)) - call.waited
        guard left > .zero, !live.isDraining else { return respond(notModified: tag, call) }
        let began = NIODeadline.now()
        let watch = live.board.watch(read.profile.relations) {
            loop.execute {
                call.waited = call.waited + (NIODeadline.now() - began)
                self.resume(live, read, call)
            }
        }
        let timer = loop.scheduleTask(in: left) {
            if watch.end() { self.respond(notModified: tag, call) }
        }
        watch.onEnd { timer.cancel() }
        call.exchange.onAbandon { _ = watch.end() }
        // What changed between the question and the watch was not heard by it.
        if live.isDraining || !live.clock.isUnchanged(read.profile.relations, since: tag.reading) {
            watch.fire()
        }
    }

    private func resume(_ live: LiveReads, _ read: LiveRead, _ call: RESTCall) {
        guard
            let again = LiveRead(
                read.compiled, read.request, shapeKey: call.shapeKey, fields: call.fields, live)
        else { return respond(call.exchange) }
        do throws(Fault) {
            try ask(live, again, call)
        } catch {
            finish(call, error)
        }
    }
}

extension Answer.Body {
    /// Bytes.
    var count: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .cell(let rows, let row, let column): rows.length(row, column)
        }
    }

    var copied: [UInt8] {
        switch self {
        case .none: []
        case .bytes(let bytes): bytes
        case .cell(let rows, let row, let column): rows.withBytes(row, column) { $0.map { Array($0) } ?? [] }
        }
    }

    var contentHash: UInt64 {
        var hash = ContentHash()
        switch self {
        case .none: break
        case .bytes(let bytes): hash.add(bytes)
        case .cell(let rows, let row, let column):
            rows.withBytes(row, column) { bytes in
                if let bytes { hash.add(bytes) }
            }
        }
        return hash.finish()
    }
}

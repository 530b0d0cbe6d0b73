import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusPostgres
import NIOCore

/// Requests of roles whose statements may cost only so much.
extension RESTEndpoint {
    func runWithinCost(_ compiled: CompiledRequest, _ request: DataRequest, _ call: RESTCall) {
        call.timing.begin()
        let task = Task { [self] in
            let result: Result<Answer, Fault>
            do throws(Fault) {
                result = .success(try await data.answerWithinCost(compiled, request))
            } catch {
                result = .failure(error)
            }
            var position: LSN?
            if case .success = result, !compiled.isReadOnly {
                position = await self.position(afterWriteOf: request.principal)
            }
            call.exchange.respond(making: { [position] in
                call.position = position
                call.timing.end(.transaction)
                call.timing.begin()
                return self.response(result, call)
            })
        }
        call.exchange.onAbandon { task.cancel() }
    }

    /// Asks the database for a read, within what its role may spend. To be called on the event loop, where `reply` comes.
    ///
    /// - Returns: what stops the work when nobody waits for it any more.
    func ask(
        _ compiled: CompiledRequest, _ request: DataRequest, on loop: any EventLoop,
        reply: @escaping @Sendable (Result<Answer, Fault>) -> Void
    ) throws(Fault) -> @Sendable () -> Void {
        guard data.limitsCost(of: request.principal.role) else {
            let submission = try data.answer(compiled, request, on: lanes.lane(for: loop), reply: reply)
            return { submission.cancel() }
        }
        let data = data
        let task = Task {
            let result: Result<Answer, Fault>
            do throws(Fault) {
                result = .success(try await data.answerWithinCost(compiled, request))
            } catch {
                result = .failure(error)
            }
            loop.execute { reply(result) }
        }
        return { task.cancel() }
    }
}

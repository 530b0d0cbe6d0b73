import ApusDataAPI
import ApusFaults
import ApusHTTP
import ApusPostgres

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
}

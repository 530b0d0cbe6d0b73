import ApusDataAPI
import ApusFaults
import ApusHTTP

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
            call.exchange.respond(making: {
                call.timing.end(.transaction)
                call.timing.begin()
                return self.response(result, call)
            })
        }
        call.exchange.onAbandon { task.cancel() }
    }
}

import ApusFaults
package import ApusHTTP
package import ApusRealtime

/// `/health/feed`: whether changes arrive at this node. Says which code stands for what is missing; the words are
/// in the log and in `docs/errors.md`.
package struct FeedHealth: Sendable {
    private let feed: ChangeFeed

    package init(feed: ChangeFeed) { self.feed = feed }

    /// Answers 200, or 503.
    package func respond(_ exchange: HTTPExchange) {
        let text: String
        switch feed.state {
        case .running(let isReader):
            let epoch = feed.head?.epoch ?? 0
            text = """
                {"status":"running","reader":\(isReader),"epoch":\(epoch),"lsn":"\(feed.caughtUp)"}
                """
        case .starting: text = #"{"status":"starting"}"#
        case .standby: text = #"{"status":"standby"}"#
        case .off: text = #"{"status":"off"}"#
        case .unavailable(let fault): text = #"{"status":"unavailable","code":"\#(fault.code)"}"#
        }
        var response = HTTPResponse.text(text, type: "application/json")
        if !feed.state.isRunning { response.status = 503 }
        exchange.respond(response)
    }
}

import ArgumentParser

/// Measures the server's real time side: `make bench-realtime`.
@main
struct ApusLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-load", abstract: "Measures changes, fan-out and memory of a running Apus.",
        subcommands: [Changes.self, Plain.self])
}

/// Changes of the database, through channels.
struct Changes: AsyncParsableCommand {
    @Option(help: "The channels' WebSocket, with its apikey.") var url: String
    @Option(help: "Connection string of the database, as the owner.") var database: String
    @Option(help: "Process id of the server.") var pid: Int
    @Option(help: "Subscribers of the fan-out.") var subscribers = 10_000
    @Option(help: "The larger number of filters that are matched.") var filters = 100_000

    func run() async throws {
        guard let target = Target(url) else { throw ValidationError("no address of a WebSocket") }
        let measurements = Measurements(target: target, database: database, pid: pid)
        tell(
            try await measurements.changes(
                "1 subscriber, 100 commits/s", subscribers: 1, buckets: nil, rate: 100, seconds: 10))
        tell(
            try await measurements.changes(
                "1,000 subscribers with filters, 1,000 commits/s", subscribers: 1_000, buckets: 100,
                rate: 1_000,
                seconds: 10))
        let few = try await measurements.matching(subscriptions: 100, rate: 200, seconds: 10)
        tell(few.1)
        let many = try await measurements.matching(subscriptions: filters, rate: 200, seconds: 10)
        tell(many.1)
        tell("matching among \(filters) costs \(rounded(many.0 / few.0)) times what it costs among 100")
        tell(try await measurements.fanOut(subscribers: subscribers, rows: 100))
    }
}

/// Broadcasts, beside other brokers.
struct Plain: AsyncParsableCommand {
    @Option(help: "apus, nchan or nats.") var kind: String
    @Option(help: "The subscribers' WebSocket.") var url: String
    @Option(help: "Where messages are published.") var publish: String
    @Option(help: "Token of the publisher.") var token = ""
    @Option var subscribers = 1_000
    @Option var messages = 200

    func run() async throws {
        guard let target = Target(url), let publisher = Target(publish) else {
            throw ValidationError("no address")
        }
        let text = String(repeating: "x", count: 80)
        let fanOut: PlainFanOut
        switch kind {
        case "apus":
            let join =
                #"{"event":"phx_join","topic":"realtime:plain","ref":"1","join_ref":"1","payload":{"config":{}}}"#
            fanOut = PlainFanOut(
                target: target, readyMark: #""status":"ok""#, hello: [Array(join.utf8)],
                publisher: .http(
                    publisher,
                    headers: "Authorization: Bearer \(token)\r\nContent-Type: application/json\r\n",
                    body: {
                        #"{"messages":[{"topic":"plain","event":"e","payload":{"n":"~\#($0)~","t":"\#(text)"}}]}"#
                    }))
        case "nchan":
            fanOut = PlainFanOut(
                target: target, readyMark: "", hello: [],
                publisher: .http(
                    publisher, headers: "Content-Type: text/plain\r\n", body: { "~\($0)~\(text)" }))
        case "nats":
            let connect = Array("CONNECT {\"verbose\":false}\r\n".utf8)
            fanOut = PlainFanOut(
                target: target, readyMark: "INFO",
                hello: [connect + Array("SUB plain 1\r\n".utf8)],
                publisher: .socket(
                    publisher, hello: [connect],
                    frame: { number in
                        let body = "~\(number)~\(text)"
                        return Array("PUB plain \(body.utf8.count)\r\n\(body)\r\n".utf8)
                    }))
        default: throw ValidationError("kind is apus, nchan or nats")
        }
        tell(try await fanOut.run(kind, subscribers: subscribers, messages: messages))
    }
}

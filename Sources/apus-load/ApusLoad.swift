import ArgumentParser

/// Measures the server's real time side: `make bench-realtime`.
@main
struct ApusLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-load", abstract: "Measures changes, fan-out and memory of a running Apus.",
        subcommands: [Changes.self, FanOut.self, Plain.self, Report.self])
}

/// What all commands need to know.
struct Place: ParsableArguments {
    @Option(help: "The subscribers' WebSocket, with its apikey.") var url: String
    @Option(help: "Process id of the server.") var pid: Int
    @Option(help: "A file that figures are appended to, as lines of JSON.") var out: String?

    func target() throws -> Target {
        guard let target = Target(url) else { throw ValidationError("no address of a WebSocket") }
        return target
    }
}

/// Changes of the database, through channels: their way, and what matching costs.
struct Changes: AsyncParsableCommand {
    @OptionGroup var place: Place
    @Option(help: "Connection string of the database, as the owner.") var database: String
    @Option(help: "The larger number of filters that are matched.") var filters = 100_000
    @Option(help: "Only this: single, filtered or matching.") var only: String?

    func run() async throws {
        let measurements = Measurements(
            target: try place.target(), database: database, server: ObservedProcess(pid: place.pid),
            figures: Figures(path: place.out))
        if only ?? "single" == "single" { try await measurements.single() }
        if only ?? "filtered" == "filtered" { try await measurements.filtered() }
        guard only ?? "matching" == "matching" else { return }
        let few = try await measurements.matching(subscriptions: 100)
        let many = try await measurements.matching(subscriptions: filters)
        let ratio = many / few
        try measurements.figures.add(
            Figure(
                work: "matching among \(grouped(filters)) filters against among 100",
                figure: "\(rounded(ratio)) times the cost", goal: "≤ 2 times", isMet: ratio <= 2))
    }
}

/// Rows to very many, and what these cost in memory. For a server that has just started.
struct FanOut: AsyncParsableCommand {
    @OptionGroup var place: Place
    @Option(help: "Connection string of the database, as the owner.") var database: String
    @Option var subscribers = 10_000
    @Option(help: "Rows that are committed one by one, each when all have the one before.") var rows = 25
    @Option(help: "Transactions a second.") var rate = 30
    @Option(help: "For how long.") var seconds = 5

    func run() async throws {
        let measurements = Measurements(
            target: try place.target(), database: database, server: ObservedProcess(pid: place.pid),
            figures: Figures(path: place.out))
        try await measurements.fanOut(
            subscribers: subscribers, rows: rows, rate: rate, seconds: seconds)
    }
}

/// Broadcasts, beside other brokers.
struct Plain: AsyncParsableCommand {
    @OptionGroup var place: Place
    @Option(help: "apus, nchan or nats.") var kind: String
    @Option(help: "Where messages are published.") var publish: String
    @Option(help: "Token of the publisher.") var token = ""
    @Option var subscribers = 10_000
    @Option var messages = 100

    func run() async throws {
        guard let publisher = Target(publish) else { throw ValidationError("no address") }
        // As long as the row's frame in the measurements of changes.
        let text = String(repeating: "x", count: 200)
        let fanOut: PlainFanOut
        switch kind {
        case "apus": fanOut = try apus(publisher, text)
        case "nchan":
            fanOut = try made(
                ready: "", hello: [],
                .init(
                    target: publisher,
                    message: { Self.post(publisher, "Content-Type: text/plain\r\n", "~\($0)~\(text)") },
                    answer: "subscribers"))
        case "nats": fanOut = try nats(publisher, text)
        default: throw ValidationError("kind is apus, nchan or nats")
        }
        try await fanOut.run(kind, subscribers: subscribers, messages: messages)
    }

    private func apus(_ publisher: Target, _ text: String) throws -> PlainFanOut {
        let join =
            #"{"event":"phx_join","topic":"realtime:plain","ref":"1","join_ref":"1","payload":{"config":{}}}"#
        let fields = "Authorization: Bearer \(token)\r\nContent-Type: application/json\r\n"
        return try made(
            ready: #""status":"ok""#, hello: [Array(join.utf8)],
            .init(
                target: publisher,
                message: { number in
                    let payload = #"{"n":"~\#(number)~","t":"\#(text)"}"#
                    return Self.post(
                        publisher, fields,
                        #"{"messages":[{"topic":"plain","event":"e","payload":\#(payload)}]}"#)
                },
                answer: "202 Accepted"))
    }

    /// NATS's own protocol in WebSocket messages; every message is followed by a ping, which is answered when it was
    /// taken.
    private func nats(_ publisher: Target, _ text: String) throws -> PlainFanOut {
        let connect = Array("CONNECT {\"verbose\":false}\r\n".utf8)
        return try made(
            ready: "PONG", hello: [connect + Array("SUB plain 1\r\nPING\r\n".utf8)],
            .init(
                target: publisher, hello: ClientFrame.encode(connect, opcode: 0x2),
                message: { number in
                    let body = "~\(number)~\(text)"
                    return ClientFrame.encode(
                        Array("PUB plain \(body.utf8.count)\r\n\(body)\r\nPING\r\n".utf8), opcode: 0x2)
                },
                answer: "PONG"))
    }

    private func made(
        ready: String, hello: [[UInt8]], _ publisher: PlainFanOut.Publisher
    ) throws -> PlainFanOut {
        PlainFanOut(
            target: try place.target(), readyMark: ready, hello: hello, publisher: publisher,
            server: ObservedProcess(pid: place.pid), figures: Figures(path: place.out))
    }

    private static func post(_ target: Target, _ fields: String, _ body: String) -> [UInt8] {
        Array(
            ("POST \(target.path) HTTP/1.1\r\nHost: \(target.host)\r\n\(fields)Content-Length: "
                + "\(body.utf8.count)\r\n\r\n\(body)").utf8)
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Messages from one publisher to many subscribers, without database and permissions: what brokers do too.
struct PlainFanOut {
    /// How a message gets in: what is sent, and what stands in the answer to it.
    struct Publisher: Sendable {
        var target: Target
        /// Said once; a WebSocket is opened when it is there.
        var hello: [UInt8]?
        var message: @Sendable (Int) -> [UInt8]
        /// In the answer to each.
        var answer: String
    }

    var target: Target
    var readyMark: String
    var hello: [[UInt8]]
    var publisher: Publisher
    var server: ObservedProcess
    var figures: Figures

    /// Each message is sent when the one before was answered; so the rate is the broker's own.
    func run(_ title: String, subscribers: Int, messages: Int) async throws {
        let crowd = Crowd(readyMark: readyMark)
        let hello = hello
        try crowd.gather(subscribers, at: target, hello: { _ in hello })
        // A broker may answer the handshake before it has subscribed.
        try await Task.sleep(for: .milliseconds(500))
        let warm = 5
        try await publish(0..<warm).value
        try crowd.pump(seconds: 30) { crowd.deliveries >= warm * subscribers }
        crowd.count(arrivals: false)
        let usage = Usage(server)
        let start = nanoseconds()
        let publishing = publish(warm..<warm + messages)
        let expected = subscribers * messages
        try? crowd.pump(seconds: 60) { crowd.deliveries >= expected }
        let processors = usage.text
        try await publishing.value
        crowd.pump(milliseconds: 200)
        let took = Double(crowd.lastDelivery - start) / 1e9
        try figures.add(
            Figure(
                work: "plain fan-out to \(grouped(subscribers)) WebSockets, \(title)",
                figure: "\(grouped(Int(Double(crowd.deliveries) / took))) deliveries/s, "
                    + "\(rounded(Double(messages) / took)) messages/s; \(crowd.verdict(warm..<warm + messages)); \(processors)"
            ))
    }

    private func publish(_ numbers: Range<Int>) -> Task<Void, any Error> {
        let publisher = publisher
        return Task.detached {
            let descriptor = try Descriptor.connect(to: publisher.target)
            defer { close(descriptor) }
            if let hello = publisher.hello {
                try Descriptor.send(publisher.target.upgrade, to: descriptor)
                try Self.await("\r\n\r\n", on: descriptor)
                try Descriptor.send(hello, to: descriptor)
            }
            for number in numbers {
                try Descriptor.send(publisher.message(number), to: descriptor)
                try Self.await(publisher.answer, on: descriptor)
            }
        }
    }

    /// Reads until a text has come.
    private static func await(_ text: String, on descriptor: Int32) throws {
        var seen: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw Failure("the publisher's connection ended") }
            seen += buffer[..<count]
            if String(decoding: seen, as: UTF8.self).contains(text) { return }
        }
    }
}

/// When statements were sent and answered, by number.
///
/// Sendable: `sent` and `answered` of one number are written by one thread each, and read when all are written.
final class Times: @unchecked Sendable {
    private let times: UnsafeMutablePointer<Int64>
    private let count: Int

    init(count: Int) {
        self.count = count
        times = .allocate(capacity: 2 * count)
        times.initialize(repeating: 0, count: 2 * count)
    }

    deinit { times.deallocate() }

    func sent(_ number: Int) { times[number] = nanoseconds() }
    func answered(_ number: Int) { times[count + number] = nanoseconds() }

    func sending(_ number: Int64) -> Int64 { times[Int(number)] }

    /// When the answer came; 0 when none has.
    func answer(_ number: Int64) -> Int64 { times[count + Int(number)] }
}

/// Commits rows at a steady rate on a thread of its own, whether or not the answers keep up.
enum Pace {
    /// - Parameters:
    ///   - numbers: of the rows; counted from 0 in `times`.
    ///   - bucket: of the row with this number.
    static func run(
        _ writer: Writer, _ numbers: Range<Int>, perSecond rate: Int, times: Times,
        bucket: @escaping @Sendable (Int) -> Int
    ) -> Task<Void, Never> {
        Task.detached {
            let start = nanoseconds()
            for number in numbers {
                sleep(until: start + Int64(number - numbers.lowerBound) * 1_000_000_000 / Int64(rate))
                times.sent(number)
                writer.write(Int64(number), bucket: bucket(number)) { isWritten in
                    if isWritten { times.answered(number) }
                }
            }
        }
    }
}

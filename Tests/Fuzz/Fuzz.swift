import ApusHTTPSpecimens
import ApusSpecimens

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// libFuzzer makes up inputs and keeps those that reach new code. A trap, or what a judge will not have, ends the run and
/// leaves the input in a file.
///
/// `APUS_FUZZ_TARGET` chooses: `requests` (as ``RequestText`` writes them), each taken all the way to its statement; or
/// `framing`, the bytes of a connection, given to the server's own HTTP/1.1 handlers.
///
///     make fuzz SECONDS=60
@main struct Fuzz {
    private static let framing = FramingJudge()
    private static let requests = RequestJudge()
    private static let isFraming = getenv("APUS_FUZZ_TARGET").map { String(cString: $0) } == "framing"

    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &arguments, tryOne))
    }

    fileprivate static func run(_ bytes: [UInt8]) {
        do {
            if isFraming {
                try framing.judge(bytes)
            } else {
                _ = try requests.judge(RequestText.request(bytes))
            }
        } catch {
            print(error)
            fflush(nil)
            abort()
        }
    }
}

/// By this name libFuzzer's own `main`, which the linker brings along, would call it.
@_cdecl("LLVMFuzzerTestOneInput")
func tryOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Fuzz.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Of libFuzzer's library interface (LLVM, "Using libFuzzer as a library").
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

import ApusSpecimens

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// libFuzzer makes up requests (as ``RequestText`` writes them) and keeps those that reach new code; each goes all the
/// way to its statement. A trap, or what the judge will not have, ends the run and leaves the request in a file.
///
///     make fuzz SECONDS=60
@main struct Fuzz {
    private static let judge = RequestJudge()

    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &arguments, tryOne))
    }

    fileprivate static func run(_ bytes: [UInt8]) {
        do {
            _ = try judge.judge(RequestText.request(bytes))
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

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Asks a person at a terminal.
enum Prompt {
    /// Writes to standard error, when that is a terminal.
    static func show(_ text: String) {
        guard isatty(2) == 1 else { return }
        _ = text.withCString { write(2, $0, strlen($0)) }
    }

    /// A line of standard input, which a terminal does not show.
    static func readSecret() -> String? {
        var shown = termios()
        let isTerminal = isatty(0) == 1 && tcgetattr(0, &shown) == 0
        if isTerminal {
            var hidden = shown
            hidden.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(0, TCSANOW, &hidden)
        }
        defer {
            if isTerminal {
                tcsetattr(0, TCSANOW, &shown)
                show("\n")
            }
        }
        return readLine()
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads the small files of `/proc`.
enum ProcessFile {
    /// The first 4 KiB; nil when it cannot be read.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        #if canImport(Darwin)
            let count = Darwin.read(descriptor, &bytes, bytes.count)
        #elseif canImport(Musl)
            let count = Musl.read(descriptor, &bytes, bytes.count)
        #else
            let count = Glibc.read(descriptor, &bytes, bytes.count)
        #endif
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// How many entries a directory has, without `.`, `..` and, for `/proc/self/fd`, the descriptor that reading it
    /// takes.
    static func entries(_ path: String) -> Int? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return max(0, count - 3)
    }
}

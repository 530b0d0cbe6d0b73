import Crypto

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file of passwords that leaked, asked without a network: sorted beginnings of SHA-1 digests.
///
/// Eight bytes of text `APUSPWD1`, the number of entries (8 bytes, big endian), then the first eight bytes of each
/// password's SHA-1, ascending. SHA-1 because that is how lists of leaks are published; eight bytes, because of a
/// thousand million entries one in ten thousand million other passwords is taken for one of them. The file is mapped into
/// memory, so its size costs what is looked at: some thirty pages a question at the most.
///
/// Sendable: the mapping is never written to and lives as long as this.
package final class LeakedPasswords: @unchecked Sendable {
    /// A file that is none, or was cut.
    package struct Unreadable: Error {
        package let path: String
    }

    package static let mark = Array("APUSPWD1".utf8)
    package static let headerLength = 16
    package static let entryLength = 8

    private let bytes: UnsafeRawBufferPointer
    /// Passwords in it.
    package let count: Int

    /// - Throws: ``Unreadable``.
    package init(path: String) throws(Unreadable) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Unreadable(path: path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= Self.headerLength,
            let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, file, 0), start != MAP_FAILED
        else { throw Unreadable(path: path) }
        bytes = UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
        let stated = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
        count = (bytes.count - Self.headerLength) / Self.entryLength
        guard bytes.starts(with: Self.mark), stated == UInt64(count) else {
            munmap(start, bytes.count)
            throw Unreadable(path: path)
        }
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    /// Whether this password is in it.
    package func contains(_ password: String) -> Bool {
        let wanted = Self.entry(of: password)
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let found = bytes.loadUnaligned(
                fromByteOffset: Self.headerLength + middle * Self.entryLength, as: UInt64.self
            ).bigEndian
            if found == wanted { return true }
            if found < wanted { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// What a file holds of a password.
    package static func entry(of password: String) -> UInt64 {
        entry(Array(Insecure.SHA1.hash(data: Array(password.utf8))))
    }

    /// What a file holds of a digest.
    package static func entry(_ digest: some Collection<UInt8>) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The content of a file for these entries.
    package static func encode(_ entries: [UInt64]) -> [UInt8] {
        let sorted = Set(entries).sorted()
        var bytes = mark
        bytes.reserveCapacity(headerLength + sorted.count * entryLength)
        for number in [UInt64(sorted.count)] + sorted {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        return bytes
    }
}

/// The name of a file below the web root, as segments that name nothing but a file in a folder.
///
/// What could lead elsewhere is no path at all: `..` and `.`, in any encoding; hidden files; empty segments; slashes and
/// control characters that come out of percent-encoding. A path is decoded once.
struct WebPath: Hashable, Sendable {
    let segments: [String]

    private static let longestSegment = 255
    private static let deepest = 16

    /// - Parameter path: as it came, still encoded. With a slash at its end it means `index.html` in that folder.
    /// - Returns: nil for a path that no file has.
    init?(_ path: Substring) {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        var parts = path.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isFolder = parts.last?.isEmpty == true
        if isFolder { parts.removeLast() }
        guard parts.count < Self.deepest else { return nil }
        var segments: [String] = []
        for part in parts {
            guard let segment = PercentText.decoded(Substring(part)), Self.isName(segment) else { return nil }
            segments.append(segment)
        }
        if isFolder { segments.append("index.html") }
        self.segments = segments
    }

    private static func isName(_ segment: String) -> Bool {
        guard !segment.isEmpty, segment.utf8.count <= longestSegment, segment.utf8.first != UInt8(ascii: ".")
        else { return false }
        return segment.utf8.allSatisfy { byte in
            byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
        }
    }
}

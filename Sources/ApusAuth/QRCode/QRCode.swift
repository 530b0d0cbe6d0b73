/// A QR code (ISO/IEC 18004) in byte mode with error correction level M, which survives 15 % of damage.
package struct QRCode: Sendable {
    /// Modules of a side, without the quiet zone.
    package let size: Int
    private let modules: [Bool]

    /// The smallest code that holds the text as UTF-8; nil when none does (more than 2,331 bytes).
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let version = QRVersion.smallest(for: bytes.count) else { return nil }
        let drawing = QRDrawing(version: version, codewords: QRCodewords.interleaved(bytes, version))
        size = version.size
        modules = drawing.masked()
    }

    package func isDark(column: Int, row: Int) -> Bool { modules[row * size + column] }

    /// The code as an SVG document with the quiet zone of four modules that readers need. Holds no `#`, so that it
    /// can follow `data:image/svg+xml,` as it is, which SDKs do.
    package var svg: String {
        let side = size + 8
        var path = ""
        for row in 0..<size {
            var column = 0
            while column < size {
                guard isDark(column: column, row: row) else {
                    column += 1
                    continue
                }
                let start = column
                while column < size, isDark(column: column, row: row) { column += 1 }
                path += "M\(start + 4) \(row + 4)h\(column - start)v1h-\(column - start)z"
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(side * 5)" height="\(side * 5)" \
            viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges"><rect width="\(side)" height="\(side)" \
            fill="white"/><path d="\(path)" fill="black"/></svg>
            """
    }
}

import ApusAuth
import Testing

@Suite struct QRCodeTests {
    /// A symbol that zxing-cpp 3.1.1 read. That scanners read every size is tested with real clients.
    @Test func symbolThatAScannerRead() throws {
        let expected = """
            #######.#..##.#######
            #.....#.##....#.....#
            #.###.#...#.#.#.###.#
            #.###.#.#.##..#.###.#
            #.###.#...##..#.###.#
            #.....#..#.##.#.....#
            #######.#.#.#.#######
            ........##.##........
            #.##.###..###.#..#.##
            #..#.....#.##..####..
            .#.#####.###.###...##
            #.#.....####....##.#.
            #.....###...####..#.#
            ........####..#.#.#.#
            #######.#.####..#....
            #.....#.#....#.#.####
            #.###.#..##.##.###...
            #.###.#.##.......###.
            #.###.#.#...##.#..#..
            #.....#..##.#####...#
            #######.#.#...##.....
            """
        let code = try #require(QRCode("HELLO, apus"))
        let rows = (0..<code.size).map { row in
            String((0..<code.size).map { code.isDark(column: $0, row: row) ? "#" : "." })
        }
        #expect(rows.joined(separator: "\n") == expected)
    }

    /// Bytes that the smallest and the largest symbols hold (ISO/IEC 18004, table 7, level M).
    @Test(arguments: [(14, 21), (15, 25), (122, 45), (152, 49), (180, 53), (213, 57), (666, 97), (2331, 177)])
    func sizesByLength(bytes: Int, size: Int) throws {
        #expect(try #require(QRCode(String(repeating: "a", count: bytes))).size == size)
    }

    @Test func whatIsTooLongHasNoCode() { #expect(QRCode(String(repeating: "a", count: 2332)) == nil) }

    /// `#` would begin the fragment of a data URL.
    @Test func svgGoesIntoADataURL() throws {
        let svg = try #require(QRCode("otpauth://totp/x")).svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>"))
        #expect(!svg.contains("#"))
    }
}

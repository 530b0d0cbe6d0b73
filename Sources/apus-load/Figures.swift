import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One line of the report.
struct Figure {
    var work: String
    var figure: String
    /// Empty where there is none.
    var goal = ""
    /// nil where there is no goal.
    var isMet: Bool?
}

/// Where figures go: to the terminal at once, and into a file from which ``Report`` makes a table.
struct Figures {
    var path: String?

    func add(_ figure: Figure) throws {
        tell("\(figure.work): \(figure.figure)")
        guard let path else { return }
        guard let file = fopen(path, "a") else { throw Failure("cannot write \(path)") }
        defer { fclose(file) }
        let met = figure.isMet.map { $0 ? "met" : "missed" } ?? ""
        fputs([figure.work, figure.figure, figure.goal, met].joined(separator: "\t") + "\n", file)
    }

    /// What was added to a file.
    static func read(_ path: String) -> [Figure] {
        ProcFile.lines(path).compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4 else { return nil }
            return Figure(
                work: fields[0], figure: fields[1], goal: fields[2],
                isMet: fields[3].isEmpty ? nil : fields[3] == "met")
        }
    }
}

/// The table of a run, as Markdown or as JSON.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the figures of a run with their goals.")

    @Argument(help: "What --out named.") var path: String
    @Flag(help: "As JSON.") var json = false

    func run() throws {
        let figures = Figures.read(path)
        if json { return tell("[" + figures.map(Self.object).joined(separator: ",\n ") + "]") }
        tell("| work | figure | goal | |\n|---|---|---|---|")
        for figure in figures {
            let met = figure.isMet.map { $0 ? "met" : "missed" } ?? ""
            tell("| \(figure.work) | \(figure.figure) | \(figure.goal) | \(met) |")
        }
    }

    private static func object(_ figure: Figure) -> String {
        let met = figure.isMet.map { ",\"met\":\($0)" } ?? ""
        return
            #"{"work":\#(quoted(figure.work)),"figure":\#(quoted(figure.figure)),"#
            + #""goal":\#(quoted(figure.goal))"#
            + met + "}"
    }

    /// RFC 8259 §7; what is told here has no control characters.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

/// Says something at once, also into a pipe.
func tell(_ line: String) {
    print(line)
    fflush(nil)
}

import ApusJSON

/// Reads ``RoleClaimPath`` from its text, in either notation.
struct RoleClaimPathReader {
    private let characters: [Character]
    private var position = 0
    /// From `$` on it is JSON Path, without it the older notation.
    private let isJSONPath: Bool

    static func read(_ text: String) throws(TokenSettingsFault) -> RoleClaimPath {
        var reader = RoleClaimPathReader(text)
        var steps: [RoleClaimPath.Step] = []
        if reader.isJSONPath { reader.position = 1 }
        while reader.peek != nil { steps.append(try reader.step()) }
        guard reader.isJSONPath || !steps.isEmpty else { throw reader.fault("a path") }
        return RoleClaimPath(steps: steps)
    }

    private init(_ text: String) {
        characters = Array(text)
        isJSONPath = characters.first == "$"
    }

    // MARK: - Steps

    private mutating func step() throws(TokenSettingsFault) -> RoleClaimPath.Step {
        if skip(".") {
            if isJSONPath, skip("*") { return .wildcard }
            if !isJSONPath, peek == "\"" { return .name(try quoted()) }
            return .name(try name())
        }
        guard skip("[") else { throw fault("'.' or '['") }
        let step = try bracketed()
        guard skip("]") else { throw fault("']'") }
        return step
    }

    private mutating func bracketed() throws(TokenSettingsFault) -> RoleClaimPath.Step {
        if skip("?") { return try filter() }
        if isJSONPath {
            skipSpaces()
            defer { skipSpaces() }
            if skip("*") { return .wildcard }
            if peek == "'" || peek == "\"" { return .name(try quoted()) }
        }
        let sign = isJSONPath && skip("-") ? "-" : ""
        let digits = sign + take { $0.isASCII && $0.isNumber }
        guard let index = Int(digits) else { throw fault("an index") }
        return .index(index)
    }

    private mutating func name() throws(TokenSettingsFault) -> String {
        let signs = isJSONPath ? "_" : "_$@"
        let name = take { $0.isLetter || $0.isNumber || signs.contains($0) }
        guard !name.isEmpty else { throw fault("a name") }
        return name
    }

    // MARK: - The filter

    private mutating func filter() throws(TokenSettingsFault) -> RoleClaimPath.Step {
        skipSpaces()
        let isParenthesized = skip("(")
        guard isParenthesized || isJSONPath else { throw fault("'('") }
        skipSpaces()
        let filter = isJSONPath && peek != "@" ? try searchCall() : try comparison()
        skipSpaces()
        if isParenthesized {
            guard skip(")") else { throw fault("')'") }
            skipSpaces()
        }
        guard isJSONPath || characters.count == position + 1 else { throw fault("the end after the filter") }
        return filter
    }

    private mutating func comparison() throws(TokenSettingsFault) -> RoleClaimPath.Step {
        let path = try relativePath()
        skipSpaces()
        if isJSONPath {
            if skip("==") { return .filter(path: path, .equals(try literal())) }
            if skip("!=") { return .filter(path: path, .differs(try literal())) }
            return .filter(path: path, .exists)
        }
        let test: (String) -> RoleClaimPath.Test
        if skip("==^") {
            test = { .endsWith($0) }
        } else if skip("==") {
            test = { .equals(.string($0)) }
        } else if skip("!=") {
            test = { .textDiffers($0) }
        } else if skip("^==") {
            test = { .startsWith($0) }
        } else if skip("*==") {
            test = { .contains($0) }
        } else {
            throw fault("==, !=, ^==, ==^ or *==")
        }
        skipSpaces()
        return .filter(path: path, test(try quoted()))
    }

    private mutating func searchCall() throws(TokenSettingsFault) -> RoleClaimPath.Step {
        guard skip("search(") else { throw fault("'@' or search(@, '…')") }
        skipSpaces()
        let path = try relativePath()
        skipSpaces()
        guard skip(",") else { throw fault("','") }
        skipSpaces()
        let pattern = try quoted()
        guard (try? Regex(pattern)) != nil else { throw fault("a regular expression") }
        skipSpaces()
        guard skip(")") else { throw fault("')'") }
        return .filter(path: path, .search(pattern))
    }

    private mutating func relativePath() throws(TokenSettingsFault) -> [RoleClaimPath.Step] {
        guard skip("@") else { throw fault("'@'") }
        var path: [RoleClaimPath.Step] = []
        while isJSONPath, peek == "." || peek == "[" { path.append(try step()) }
        return path
    }

    private mutating func literal() throws(TokenSettingsFault) -> JSONValue {
        skipSpaces()
        if peek == "'" || peek == "\"" { return .string(try quoted()) }
        let word = take { $0.isLetter || $0.isNumber || "+-.".contains($0) }
        guard let value = try? JSONReader.read(Array(word.utf8)) else { throw fault("a literal") }
        return value
    }

    /// In JSON Path a backslash escapes the next character; the older notation knows no escapes.
    private mutating func quoted() throws(TokenSettingsFault) -> String {
        guard let quote = peek, quote == "\"" || (isJSONPath && quote == "'") else { throw fault("a quote") }
        position += 1
        var text = ""
        while let character = peek {
            position += 1
            if character == quote { return text }
            if isJSONPath, character == "\\", let escaped = peek {
                position += 1
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        throw fault("the closing quote")
    }

    // MARK: - Characters

    private var peek: Character? { position < characters.count ? characters[position] : nil }

    private mutating func skip(_ text: String) -> Bool {
        guard characters[position...].starts(with: text) else { return false }
        position += text.count
        return true
    }

    private mutating func skipSpaces() { while peek == " " { position += 1 } }

    private mutating func take(while belongs: (Character) -> Bool) -> String {
        let taken = characters[position...].prefix(while: belongs)
        position += taken.count
        return String(taken)
    }

    private func fault(_ expected: String) -> TokenSettingsFault {
        TokenSettingsFault(
            "jwt-role-claim-key",
            "cannot read \"\(String(characters))\": expected \(expected) at \(position + 1)")
    }
}

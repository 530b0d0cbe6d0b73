/// A backtracking parser over one parameter of a request, with Parsec's rules: an alternative is tried only when
/// the one before it took nothing, unless it stands in an ``attempt(_:)``.
///
/// These rules are kept to the letter, because which text an error shows depends on them. The rules of the
/// grammar are in extensions, one file for each parameter.
struct GrammarParser {
    /// The rule does not match here; ``failure`` says why.
    struct Mismatch: Error {}

    let input: [UInt8]
    let limits: RESTSettings.Limits
    private(set) var position = 0
    /// What the rules tried since the last byte was taken would have liked better.
    private(set) var failure = ParseFailure(position: 0)
    /// The limit that the input goes beyond; then no result counts.
    private(set) var exceeded: RequestFault?
    private var depth = 0
    private var items = 0

    /// - Parameter input: UTF-8. What is none becomes U+FFFD.
    init(_ input: some Sequence<UInt8>, limits: RESTSettings.Limits) {
        let bytes = Array(input)
        self.input =
            String(validating: bytes, as: UTF8.self) == nil
            ? Array(String(decoding: bytes, as: UTF8.self).utf8) : bytes
        self.limits = limits
    }

    /// The text from `start` to where the parser stands.
    func text(from start: Int) -> String {
        String(decoding: input[start..<position], as: UTF8.self)
    }

    // MARK: - Characters

    /// Takes one character.
    ///
    /// - Parameter name: what an error calls the character that was expected.
    @discardableResult
    mutating func character(
        _ name: StaticString? = nil, where isAccepted: (Unicode.Scalar) -> Bool
    ) throws(Mismatch) -> Unicode.Scalar {
        try character(expected: name.map { .expected($0) }, where: isAccepted)
    }

    @discardableResult
    mutating func character(_ expected: Unicode.Scalar) throws(Mismatch) -> Unicode.Scalar {
        try character(expected: .expectedCharacter(expected)) { $0 == expected }
    }

    /// Takes characters as long as they are accepted, possibly none.
    ///
    /// - Parameter names: what an error calls the characters that could have followed.
    @discardableResult
    mutating func characters(
        _ names: StaticString..., where isAccepted: (Unicode.Scalar) -> Bool
    ) -> String {
        let start = position
        var end = position
        var next = scalar(at: end)
        while let (scalar, width) = next, isAccepted(scalar) {
            end += width
            next = self.scalar(at: end)
        }
        if end > start { advance(by: end - start) }
        note([.systemUnexpected(next?.scalar)] + names.map { .expected($0) })
        return text(from: start)
    }

    /// Takes the ASCII text `expected`. What differs is reported at its start; once the first character was
    /// right, the failing rule has taken something.
    mutating func string(_ expected: StaticString) throws(Mismatch) {
        let start = position
        let matched = expected.withUTF8Buffer { expected in
            zip(input[position...], expected).prefix { $0 == $1 }.count
        }
        if matched == expected.utf8CodeUnitCount {
            advance(by: matched)
            return
        }
        note([.expectedText(expected), .systemUnexpected(scalar(at: start + matched)?.scalar)])
        position += matched
        throw Mismatch()
    }

    /// Matches where the input ends.
    mutating func end() throws(Mismatch) {
        guard let (scalar, _) = scalar(at: position) else {
            note([.expected("end of input"), .systemUnexpected(nil)])
            return
        }
        note([.expected("end of input"), .unexpected(scalar)])
        throw Mismatch()
    }

    /// Matches where `refused` does not come next. Takes nothing.
    mutating func notFollowed(by refused: Unicode.Scalar) throws(Mismatch) {
        guard let (next, width) = scalar(at: position), next == refused else {
            note([.expectedCharacter(refused), .systemUnexpected(scalar(at: position)?.scalar)])
            return
        }
        throw refusal(of: next, width: width)
    }

    /// Matches where a comma, a closing parenthesis or the end comes next. Takes nothing.
    mutating func endOfElement() throws(Mismatch) {
        guard let (next, width) = scalar(at: position), next != ",", next != ")" else {
            note([.systemUnexpected(scalar(at: position)?.scalar)])
            return
        }
        throw refusal(of: next, width: width)
    }

    // MARK: - Combining rules

    /// On failure the parser stands where it stood, as if `rule` had taken nothing.
    mutating func attempt<Result>(
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> Result {
        let (start, before) = begin()
        do {
            let result = try rule(&self)
            if position == start { failure = before.merged(with: failure) }
            return result
        } catch {
            position = start
            failure = before.merged(with: failure)
            throw error
        }
    }

    /// Errors call what `rule` expects at its start by `name`.
    mutating func named<Result>(
        _ name: StaticString, _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> Result {
        let (start, before) = begin()
        do {
            let result = try rule(&self)
            if position == start {
                if !failure.messages.isEmpty { failure.replaceExpectations(with: name) }
                failure = before.merged(with: failure)
            }
            return result
        } catch {
            if position == start {
                failure.replaceExpectations(with: name)
                failure = before.merged(with: failure)
            }
            throw error
        }
    }

    /// The first rule, or, when it fails and took nothing, the second one.
    mutating func either<Result>(
        _ first: (inout GrammarParser) throws(Mismatch) -> Result,
        _ second: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> Result {
        let start = position
        do {
            return try first(&self)
        } catch {
            guard position == start else { throw error }
            return try second(&self)
        }
    }

    /// `rule`, or nil when it fails and took nothing.
    mutating func optional<Result>(
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> Result? {
        let start = position
        do {
            return try rule(&self)
        } catch {
            guard position == start else { throw error }
            return nil
        }
    }

    /// `rule`, or nil when it fails; then nothing was taken.
    mutating func tried<Result>(
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) -> Result? {
        try? attempt(rule)
    }

    /// Whether `rule` matches; if not, nothing was taken.
    mutating func takes(_ rule: (inout GrammarParser) throws(Mismatch) -> Void) -> Bool {
        tried(rule) != nil
    }

    /// Whether `text` comes next. Takes nothing.
    mutating func isAhead(_ text: StaticString) -> Bool {
        takes { parser throws(Mismatch) in
            try parser.ahead { parser throws(Mismatch) in try parser.string(text) }
        }
    }

    /// Matches where `rule` does, and takes nothing.
    private mutating func ahead(_ rule: (inout GrammarParser) throws(Mismatch) -> Void) throws(Mismatch) {
        let (start, before) = (position, failure)
        try rule(&self)
        position = start
        failure = before
    }

    /// As many as there are.
    mutating func many<Result>(
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> [Result] {
        var results: [Result] = []
        while let result = try optional(rule) { results.append(result) }
        return results
    }

    /// One or more, with separators between them.
    mutating func separated<Result>(
        by separator: (inout GrammarParser) throws(Mismatch) -> Void,
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> [Result] {
        var results = [try rule(&self)]
        results += try many { parser throws(Mismatch) in
            try separator(&parser)
            return try rule(&parser)
        }
        return results
    }

    // MARK: - Limits

    /// Runs `rule` one level deeper, and refuses to when that is too deep.
    mutating func nested<Result>(
        _ rule: (inout GrammarParser) throws(Mismatch) -> Result
    ) throws(Mismatch) -> Result {
        guard depth < limits.depth else {
            exceeded = .tooDeep(limit: limits.depth)
            throw Mismatch()
        }
        depth += 1
        defer { depth -= 1 }
        return try rule(&self)
    }

    /// Refuses the path into JSON that has so many steps.
    mutating func countStep(_ steps: Int) throws(Mismatch) {
        guard steps <= Self.longestPath else {
            exceeded = .tooDeep(limit: Self.longestPath)
            throw Mismatch()
        }
    }

    private static let longestPath = 100

    /// Counts one item against the limit.
    mutating func countItem() throws(Mismatch) {
        items += 1
        guard items <= limits.items else {
            exceeded = .tooManyItems(limit: limits.items)
            throw Mismatch()
        }
    }

    // MARK: - Non public

    private mutating func begin() -> (start: Int, before: ParseFailure) {
        let before = failure
        failure = ParseFailure(position: position)
        return (position, before)
    }

    private mutating func advance(by width: Int) {
        position += width
        failure = ParseFailure(position: position)
    }

    private mutating func note(_ messages: [ParseFailure.Message]) {
        failure.merge(.init(position: position, messages: messages))
    }

    /// Reported behind the character, as the library does.
    private mutating func refusal(of scalar: Unicode.Scalar, width: Int) -> Mismatch {
        failure.merge(.init(position: position + width, messages: [.unexpected(scalar)]))
        return Mismatch()
    }

    private mutating func character(
        expected: ParseFailure.Message?, where isAccepted: (Unicode.Scalar) -> Bool
    ) throws(Mismatch) -> Unicode.Scalar {
        let next = scalar(at: position)
        guard let (scalar, width) = next, isAccepted(scalar) else {
            note((expected.map { [$0] } ?? []) + [.systemUnexpected(next?.scalar)])
            throw Mismatch()
        }
        advance(by: width)
        return scalar
    }

    private func scalar(at index: Int) -> (scalar: Unicode.Scalar, width: Int)? {
        guard index < input.count else { return nil }
        let first = input[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        var decoder = UTF8()
        var rest = input[index...].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&rest) else { return ("\u{FFFD}", 1) }
        return (scalar, UTF8.width(scalar))
    }
}

extension ParseFailure {
    fileprivate func merged(with other: ParseFailure) -> ParseFailure {
        var merged = self
        merged.merge(other)
        return merged
    }
}

/// Finds names that look like a misspelt one.
///
/// Candidates are ranked by the cosine of their character n-grams with those of the query, three at a time and
/// then two; the best fifty are ranked again by edit distance (V. I. Levenshtein, 1966). This is the algorithm
/// of the fuzzyset libraries, so a client reads the same suggestion here as elsewhere in the dialect.
struct ClosestName {
    /// Similarity by edit distance, 1 for equal.
    struct Match {
        var score: Double
        var name: String
    }

    private struct Candidate {
        var name: String
        /// The name in lower case.
        var key: [Unicode.Scalar]
    }

    private static let shortlistSize = 50
    private var candidates: [Candidate] = []

    /// - Parameter names: What may be suggested. Of names that differ only in case the first counts.
    init(among names: some Sequence<String>) {
        var seen: Set<String> = []
        for name in names.sortedByBytes() {
            let lowercased = name.lowercased()
            guard seen.insert(lowercased).inserted else { continue }
            candidates.append(Candidate(name: name, key: Array(lowercased.unicodeScalars)))
        }
    }

    /// The best match with at least the score `minimum`.
    func best(for query: String, minimum: Double = 0.33) -> String? {
        matches(for: query, minimum: minimum).first?.name
    }

    /// All matches with at least the score `minimum`, best first; only the name itself when it is there.
    func matches(for query: String, minimum: Double = 0.33) -> [Match] {
        let key = Array(query.lowercased().unicodeScalars)
        if let same = candidates.first(where: { $0.key == key }) {
            return [Match(score: 1, name: same.name)]
        }
        for size in [3, 2] {
            let found = shortlist(for: key, gramSize: size)
                .map { Match(score: similarity(key, $0.key), name: $0.name) }
                .filter { $0.score >= minimum }
            if !found.isEmpty { return found.stablySorted { $0.score > $1.score } }
        }
        return []
    }

    // MARK: - Non public

    private func shortlist(for key: [Unicode.Scalar], gramSize: Int) -> [Candidate] {
        let wanted = grams(of: key, size: gramSize)
        let scored = candidates.compactMap { candidate -> (cosine: Double, candidate: Candidate)? in
            let grams = grams(of: candidate.key, size: gramSize)
            let product = wanted.reduce(0) { $0 + $1.value * (grams[$1.key] ?? 0) }
            guard product > 0 else { return nil }
            return (Double(product) / (magnitude(wanted) * magnitude(grams)), candidate)
        }
        return scored.stablySorted { $0.cosine > $1.cosine }.prefix(Self.shortlistSize).map(\.candidate)
    }

    private func magnitude(_ grams: [[Unicode.Scalar]: Int]) -> Double {
        Double(grams.values.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    /// How often each run of `size` letters, digits, spaces and commas occurs between two hyphens.
    private func grams(of key: [Unicode.Scalar], size: Int) -> [[Unicode.Scalar]: Int] {
        let words = key.filter { scalar in
            scalar == "," || scalar.properties.isWhitespace || scalar.properties.isAlphabetic
                || scalar.properties.numericType != nil
        }
        let text: [Unicode.Scalar] = ["-"] + words + ["-"]
        guard text.count >= size else { return [:] }
        return (0...(text.count - size)).reduce(into: [:]) { grams, start in
            grams[Array(text[start..<(start + size)]), default: 0] += 1
        }
    }

    private func similarity(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Double {
        let longest = max(left.count, right.count)
        guard longest > 0 else { return 1 }
        return 1 - Double(editDistance(left, right)) / Double(longest)
    }

    private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var previous = Array(0...right.count)
        for (row, scalar) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let substitution = previous[column] + (scalar == other ? 0 : 1)
                current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}

extension Sequence {
    /// `sorted(by:)` promises no order among equals; a suggestion should not depend on chance.
    fileprivate func stablySorted(by precedes: (Element, Element) -> Bool) -> [Element] {
        enumerated().sorted { left, right in
            precedes(left.element, right.element)
                || (!precedes(right.element, left.element) && left.offset < right.offset)
        }.map(\.element)
    }
}

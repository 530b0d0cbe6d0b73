import ApusJSON

/// Which claims of a caller expressions read, found in their text.
package enum ClaimsUse: Sendable, Hashable {
    /// Members of the top level; none when no claim is read.
    case named(Set<String>)
    /// Some are read in a way that does not tell which.
    case all

    /// nil when a setting other than the claims is read, or one whose name is not written out: then the outcome depends
    /// on more than the caller.
    package init?(of texts: [String]) {
        var names: Set<String> = []
        var isAll = false
        for text in texts {
            var rest = text[...]
            while let found = rest.firstRange(of: "current_setting(") {
                rest = rest[found.upperBound...]
                guard rest.first == "'", let end = rest.dropFirst().firstIndex(of: "'") else { return nil }
                let setting = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[end...]
                if setting.hasPrefix("request.jwt.claim.") {
                    names.insert(String(setting.dropFirst("request.jwt.claim.".count)))
                } else if setting == "request.jwt.claims" || setting == "request.jwt.claim" {
                    if text.hasPrefix(Reach.Function.ownTokenText) { continue }
                    if let name = Self.member(behind: rest) { names.insert(name) } else { isAll = true }
                } else if setting != "role" {
                    return nil
                }
            }
            Self.readFunctions(text, &names, &isAll)
        }
        self = isAll ? .all : .named(names)
    }

    package func union(_ other: ClaimsUse) -> ClaimsUse {
        guard case .named(let left) = self, case .named(let right) = other else { return .all }
        return .named(left.union(right))
    }

    /// What of a caller's claims is read, as bytes: equal where the claims that are read are.
    package func part(of claims: [UInt8]) -> [UInt8] {
        guard case .named(let names) = self, let object = (try? JSONReader.read(claims))?.object else {
            return claims
        }
        var part: [UInt8] = []
        for name in names.sorted() {
            part += Array(name.utf8) + [0]
            if let value = object[name] { value.write(to: &part) }
            part.append(0)
        }
        return part
    }

    // MARK: - Non public

    /// The claim of `…::text, true), ''::text))::jsonb ->> 'sub'::text`, right behind the setting's name.
    private static func member(behind rest: Substring) -> String? {
        var rest = rest.dropFirst()
        for part in ["::text", ", true", ")", ", ''", "::text", ")", ")", "::jsonb", "::json"]
        where rest.hasPrefix(part) {
            rest = rest.dropFirst(part.count)
        }
        return key(at: rest)
    }

    /// The literal of ` ->> 'name'::text` or ` -> 'name'::text`.
    private static func key(at rest: Substring) -> String? {
        var rest = rest
        for arrow in [" ->> '", " -> '"] where rest.hasPrefix(arrow) {
            rest = rest.dropFirst(arrow.count)
            guard let end = rest.firstIndex(of: "'") else { return nil }
            let next = rest[end...].dropFirst()
            return next.first == "'" ? nil : String(rest[..<end])
        }
        return nil
    }

    /// `auth.jwt() ->> 'name'`, also as `( SELECT auth.jwt() AS jwt) ->> 'name'`.
    private static func readFunctions(_ text: String, _ names: inout Set<String>, _ isAll: inout Bool) {
        var rest = text[...]
        while let found = rest.firstRange(of: "auth.jwt()") {
            rest = rest[found.upperBound...]
            var behind = rest
            for part in [" AS jwt", ")"] where behind.hasPrefix(part) {
                behind = behind.dropFirst(part.count)
            }
            if let name = key(at: behind) { names.insert(name) } else { isAll = true }
        }
    }
}

import ApusJSON

/// Where in the claims the role is: `jwt-role-claim-key`.
///
/// Two notations are understood, as in PostgREST 17. JSON Path (RFC 9535), from `$`: names, indexes, wildcards, and
/// one filter that compares `@`, or something under it, with a literal, or calls `search`:
///
///     $.role
///     $.realm_access.roles[0]
///     $['https://example.com/role'].key
///     $.roles[?(@ == 'author')]
///     $.roles[?search(@, '^au')]
///
/// And PostgREST's older one, without `$` and with operators of its own:
///
///     .role
///     .realm_access.roles[?(@ ^== "app_")]
struct RoleClaimPath: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case name(String)
        /// A negative index counts from the end (RFC 9535, 2.3.3).
        case index(Int)
        /// Every element or member value.
        case wildcard
        /// The elements or member values for which the test holds at the end of `path`.
        case filter(path: [Step], Test)
    }

    enum Test: Sendable, Equatable {
        case equals(JSONValue)
        case differs(JSONValue)
        /// The regular expression, kept as text: a compiled `Regex` is not `Sendable`, and this runs only for tokens
        /// that are not in the cache.
        case search(String)
        /// `!=` of the older notation, which only looks at strings.
        case textDiffers(String)
        case startsWith(String)
        case endsWith(String)
        case contains(String)
        /// Something is there (RFC 9535, 2.3.5.1).
        case exists
    }

    let steps: [Step]

    /// The first value that the path selects.
    func value(in claims: JSONObject) -> JSONValue? {
        Self.select(steps[...], .object(claims)).first
    }

    // MARK: - Non public

    private static func select(_ steps: ArraySlice<Step>, _ value: JSONValue) -> [JSONValue] {
        guard let step = steps.first else { return [value] }
        let rest = steps.dropFirst()
        switch (step, value) {
        case (.name(let name), .object(let object)):
            return object[name].map { select(rest, $0) } ?? []
        case (.index(let index), .array(let array)):
            let position = index < 0 ? array.count + index : index
            return array.indices.contains(position) ? select(rest, array[position]) : []
        case (.wildcard, _):
            return children(value).flatMap { select(rest, $0) }
        case (.filter(let path, let test), _):
            return children(value)
                .filter { child in holds(test, select(path[...], child).first) }
                .flatMap { select(rest, $0) }
        default: return []
        }
    }

    private static func children(_ value: JSONValue) -> [JSONValue] {
        switch value {
        case .array(let array): array
        case .object(let object): object.members.map(\.value)
        default: []
        }
    }

    private static func holds(_ test: Test, _ value: JSONValue?) -> Bool {
        switch test {
        case .exists: value != nil
        case .equals(let literal): value == literal
        case .differs(let literal): value != literal
        case .search(let pattern):
            value?.text.map { text in (try? Regex(pattern)).map { text.contains($0) } ?? false } ?? false
        case .textDiffers(let text): value?.text.map { $0 != text } ?? false
        case .startsWith(let text): value?.text?.hasPrefix(text) ?? false
        case .endsWith(let text): value?.text?.hasSuffix(text) ?? false
        case .contains(let text): value?.text.map { $0.contains(text) || text.isEmpty } ?? false
        }
    }
}

import ApusDataAPI

/// The configuration, checked. Every field is documented at its definition in ``SettingDefinition/all``.
package struct Settings: Sendable {
    private let raw: RawSettings

    /// - Throws: for the first value that is not of its setting's kind.
    package init(_ raw: RawSettings) throws(SettingsFault) {
        self.raw = raw
        for definition in SettingDefinition.all {
            if let entry = raw[definition.name] { try Self.check(entry, definition) }
        }
        for (name, entry) in raw.entries {
            if let definition = ProviderSettingNames.definition(name) { try Self.check(entry, definition) }
        }
        try refuseSettingsInTheDatabase()
    }

    // MARK: - Access by name

    /// The value; nil when unset or empty.
    package func string(_ name: String) -> String? {
        let value = raw[name]?.value ?? Self.definition(name).fallback
        guard let value, !value.isEmpty else { return nil }
        return value
    }

    /// Whether somebody gave a value, so that no default stands in.
    package func isGiven(_ name: String) -> Bool { raw[name] != nil }

    /// Whether it is true; unset is false.
    package func boolean(_ name: String) -> Bool { Self.parseBoolean(string(name) ?? "false") ?? false }

    /// The number; nil when unset or empty.
    package func integer(_ name: String) -> Int? { string(name).flatMap { Int($0) } }

    /// The items; none when unset or empty.
    package func list(_ name: String) -> [String] {
        if let entry = raw[name] { return Self.items(of: entry) }
        return Self.split(Self.definition(name).fallback ?? "")
    }

    /// `app.settings.*`, sorted by name.
    package var appSettings: [(name: String, value: String)] {
        raw.appSettings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// All settings that hold, secrets blanked, for `apus config` and the log of a start.
    package var shown: [(name: String, value: String)] {
        (SettingDefinition.all + providerDefinitions).map { definition in
            let value = string(definition.name) ?? ""
            return (definition.name, definition.isSecret && !value.isEmpty ? "••••" : value)
        }
    }

    // MARK: - Non public

    /// PostgREST can read settings from the database. Here they would have no effect, and who relies on them must not
    /// find out by what the API shows.
    private func refuseSettingsInTheDatabase() throws(SettingsFault) {
        let advice =
            "nothing here: settings in the database are not read; write them in flags, environment or file"
        if let entry = raw["db-config"], boolean("db-config") {
            throw .badValue(
                name: "db-config", value: entry.value, origin: entry.origin,
                expected:
                    "false: settings in the database are not read; write them in flags, environment or file")
        }
        if let entry = raw["db-pre-config"], !entry.value.isEmpty {
            throw .badValue(name: "db-pre-config", value: entry.value, origin: entry.origin, expected: advice)
        }
    }

    private static func items(of entry: RawSettings.Entry) -> [String] { entry.items ?? split(entry.value) }

    private static func split(_ value: String) -> [String] {
        value.split(separator: ",").map { $0.trimming(while: { $0 == " " }) }.filter { !$0.isEmpty }
    }

    private static let byName = Dictionary(
        uniqueKeysWithValues: SettingDefinition.all.map { ($0.name, $0) })

    /// Definitions of what was said of providers.
    private var providerDefinitions: [SettingDefinition] {
        raw.entries.keys.sorted().compactMap { ProviderSettingNames.definition($0) }
    }

    /// Names of all providers of which something was said, sorted.
    var providerNames: [String] {
        Set(raw.entries.keys.compactMap { ProviderSettingNames.parts($0)?.provider }).sorted()
    }

    private static func definition(_ name: String) -> SettingDefinition {
        guard let definition = byName[name] ?? ProviderSettingNames.definition(name) else {
            preconditionFailure("no setting is called \(name): a defect in Apus, not in the configuration")
        }
        return definition
    }

    private static func check(
        _ entry: RawSettings.Entry, _ definition: SettingDefinition
    ) throws(SettingsFault) {
        let value = entry.value
        func refuse(_ expected: String) -> SettingsFault {
            .badValue(
                name: definition.name, value: definition.isSecret ? "••••" : value, origin: entry.origin,
                expected: expected)
        }
        if value.isEmpty { return }
        switch definition.kind {
        case .string, .list: return
        case .costs:
            if CostLimits(items(of: entry)) == nil {
                throw refuse("numbers for roles, for instance anon=10000,authenticated=100000")
            }
        case .boolean:
            if parseBoolean(value) == nil { throw refuse("true or false") }
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                let upper = range.upperBound == .max ? "" : " to \(range.upperBound)"
                throw refuse("a whole number from \(range.lowerBound)\(upper)")
            }
        case .choice(let words):
            if !words.contains(value) { throw refuse("one of: " + words.joined(separator: ", ")) }
        }
    }

    private static func parseBoolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}

extension StringProtocol {
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> String {
        var text = self[...]
        while let first = text.first, isTrimmed(first) { text = text.dropFirst() }
        while let last = text.last, isTrimmed(last) { text = text.dropLast() }
        return String(text)
    }
}

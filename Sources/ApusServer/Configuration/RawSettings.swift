import Foundation
import Yams

/// Settings as texts, from flags, environment and file, the first that has one winning.
package struct RawSettings: Sendable {
    /// A setting as somebody gave it.
    package struct Entry: Sendable {
        /// As it was written; a list's items joined by commas.
        package var value: String
        /// The items, when the file gave a list.
        package var items: [String]?
        /// Where it came from, in words.
        package var origin: String
    }

    /// By the name of the definition.
    package private(set) var entries: [String: Entry] = [:]
    /// `app.settings.*`, by the name after that prefix.
    package private(set) var appSettings: [String: String] = [:]
    private let definitions: [String: SettingDefinition]

    /// - Parameters:
    ///   - flags: names without dashes, and their values; nil for one that stands alone, which is true.
    ///   - environment: the whole environment; only names of ours are looked at.
    ///   - file: path of a YAML file, if there is one.
    package init(
        flags: [(name: String, value: String?)], environment: [String: String], file: String?
    ) throws(SettingsFault) {
        var definitions: [String: SettingDefinition] = [:]
        for definition in SettingDefinition.all {
            definitions[definition.name] = definition
            for alias in definition.aliases { definitions[alias] = definition }
        }
        self.definitions = definitions
        for flag in flags {
            let needsValue = (definitions[flag.name] ?? ProviderSettingNames.definition(flag.name))?
                .needsValue
            if flag.value == nil, needsValue == true { throw .noValue(name: flag.name) }
            try add(
                flag.name, .init(value: flag.value ?? "true", items: nil, origin: "flag --\(flag.name)"))
        }
        try readEnvironment(environment)
        if let file { try readFile(file) }
    }

    package subscript(name: String) -> Entry? { entries[name] }

    // MARK: - Non public

    private mutating func add(_ name: String, _ entry: Entry) throws(SettingsFault) {
        if let key = Self.appSetting(name) {
            if appSettings[key] == nil { appSettings[key] = entry.value }
            return
        }
        guard let definition = definitions[name] ?? ProviderSettingNames.definition(name) else {
            throw .unknown(name: name, origin: entry.origin, nearest: nearest(to: name))
        }
        if entries[definition.name] == nil { entries[definition.name] = entry }
    }

    private mutating func readEnvironment(_ environment: [String: String]) throws(SettingsFault) {
        var byVariable: [String: String] = [:]
        for definition in SettingDefinition.all {
            byVariable[definition.environmentName] = definition.name
            for alias in definition.aliases {
                byVariable["APUS_" + alias.uppercased().replacing("-", with: "_")] = definition.name
            }
        }
        for (variable, value) in environment where variable.hasPrefix("APUS_") {
            if Self.reservedVariables.contains(variable) { continue }
            if variable.hasPrefix("APUS_APP_SETTINGS_") {
                let key = variable.dropFirst("APUS_APP_SETTINGS_".count).lowercased()
                if appSettings[key] == nil { appSettings[key] = value }
                continue
            }
            guard let name = byVariable[variable] ?? ProviderSettingNames.name(ofVariable: variable) else {
                let guess = variable.dropFirst(5).lowercased().replacing("_", with: "-")
                throw .unknown(
                    name: variable, origin: "environment",
                    nearest: nearest(to: guess).flatMap { definitions[$0]?.environmentName })
            }
            try add(name, .init(value: value, items: nil, origin: "environment \(variable)"))
        }
        for definition in SettingDefinition.all {
            for alias in definition.environmentAliases {
                guard let value = environment[alias], !value.isEmpty else { continue }
                try add(definition.name, .init(value: value, items: nil, origin: "environment \(alias)"))
            }
        }
    }

    /// Variables with our prefix that are no settings: they choose programs for tests and tools.
    private static let reservedVariables: Set<String> = [
        "APUS_CONFIG", "APUS_POSTGRES_BIN", "APUS_TEST_PG_BIN", "APUS_BINARY", "APUS_CACHE",
    ]

    private mutating func readFile(_ path: String) throws(SettingsFault) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .unreadableFile(path: path, reason: error.localizedDescription)
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw .unreadableFile(path: path, reason: "\(error)")
        }
        guard let node else { return }
        guard let mapping = node.mapping else {
            throw .unreadableFile(path: path, reason: "the top level is no mapping")
        }
        for (key, value) in mapping {
            guard let name = key.string else { continue }
            let origin = "file \(path)"
            if let items = value.sequence {
                let texts = items.compactMap { $0.string }
                try add(name, .init(value: texts.joined(separator: ","), items: texts, origin: origin))
            } else if value.null != nil {
                // An explicit null is the same as no entry, but the name must still be a setting.
                if Self.appSetting(name) == nil, definitions[name] == nil,
                    ProviderSettingNames.definition(name) == nil
                {
                    throw .unknown(name: name, origin: origin, nearest: nearest(to: name))
                }
                if let definition = definitions[name], entries[definition.name] == nil {
                    entries[definition.name] = .init(value: "", items: [], origin: origin)
                }
            } else if let scalar = value.string {
                try add(name, .init(value: scalar, items: nil, origin: origin))
            } else {
                throw .badValue(
                    name: name, value: "a mapping", origin: origin, expected: "one value or a list")
            }
        }
    }

    private static func appSetting(_ name: String) -> String? {
        name.hasPrefix("app.settings.") ? String(name.dropFirst("app.settings.".count)) : nil
    }

    /// A setting that is written nearly like this, or whose last words are: `server-port` for `prot`.
    private func nearest(to name: String) -> String? {
        let distances = definitions.keys.map { ($0, editDistance($0, name)) }
        if let near = distances.filter({ $0.1 <= 3 }).min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) {
            return near.0
        }
        let words = name.split(separator: "-").count
        let ends = definitions.keys.map { key in
            (key, editDistance(key.split(separator: "-").suffix(words).joined(separator: "-"), name))
        }
        return ends.filter { $0.1 <= 2 && 2 * $0.1 <= name.count }
            .min { ($0.1, $0.0.count, $0.0) < ($1.1, $1.0.count, $1.0) }?.0
    }
}

/// How many letters to put in, take out or change, or neighbours to swap, make one word of the other (optimal string
/// alignment).
private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var (before, last) = ([Int](), Array(0...right.count))
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            var distance = min(
                last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1)
            )
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, before[column - 1] + 1)
            }
            current.append(distance)
        }
        (before, last) = (last, current)
    }
    return last[right.count]
}

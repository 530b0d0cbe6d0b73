import ApusCatalog
import Synchronization

/// Makes a catalog of rows. Pure but for the version, which it counts up.
enum CatalogFold {
    private static let lastVersion = Atomic<UInt64>(0)

    static func catalog(of rows: CatalogRows, settings: CatalogSettings) -> Catalog {
        let viewKeys = ViewKeys(rows)
        let relations = RelationFold.relations(of: rows, viewKeys: viewKeys)
        return Catalog(
            version: lastVersion.add(1, ordering: .relaxed).newValue,
            serverVersion: rows.server.first?.version ?? 0,
            schemas: Dictionary(rows.schemas.map { ($0.name, $0.comment) }) { first, _ in first },
            relations: relations,
            functions: FunctionFold.functions(of: rows, hoisting: settings.hoistedSettings),
            relationships: RelationshipFold(rows, relations: relations, viewKeys: viewKeys).relationships(),
            representations: Dictionary(
                rows.representations.map(\.representation).map {
                    (Catalog.Conversion($0.sourceType, $0.targetType), $0)
                }
            ) { first, _ in first },
            mediaHandlers: rows.mediaHandlers.map(\.handler),
            timezones: Set(rows.timezones.map(\.name)),
            roleSettings: roleSettings(rows.roleSettings),
            roleIsolation: roleIsolation(rows.roleSettings),
            requestSettingsUse: RequestSettingsScan.use(in: rows.mentions.map(\.text)),
            mayShapeResponses: RequestSettingsScan.mayShapeResponses(rows.mentions.map(\.text)),
            mayChangeSettings: SettingChangeScan.mayChangeSettings(rows.mentions.map(\.text)),
            hasPostGIS: rows.server.first?.hasPostGIS ?? false)
    }

    private static func roleSettings(_ rows: [RoleSettingRow]) -> [String: [Function.Setting]] {
        Dictionary(grouping: rows.filter { $0.name != IsolationLevel.setting }, by: \.role).mapValues {
            $0.map { Function.Setting(name: $0.name, value: $0.value) }
        }
    }

    private static func roleIsolation(_ rows: [RoleSettingRow]) -> [String: String] {
        let levels = rows.filter { $0.name == IsolationLevel.setting }
        return Dictionary(levels.map { ($0.role, IsolationLevel.named($0.value)) }) { first, _ in first }
    }
}

/// The isolation levels that a transaction can be begun with.
enum IsolationLevel {
    static let setting = "default_transaction_isolation"

    /// The level by PostgreSQL's name; `read uncommitted` is the same as `read committed`.
    static func named(_ value: String) -> String {
        switch value.lowercased() {
        case "serializable": "serializable"
        case "repeatable read": "repeatable read"
        default: "read committed"
        }
    }
}

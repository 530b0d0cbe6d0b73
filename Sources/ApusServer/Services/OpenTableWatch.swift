import ApusPostgres
import Logging

/// Warns of tables that anybody may reach, because nobody switched row level security on: at the start, and when there
/// are others after the schema or its privileges changed.
struct OpenTableWatch: Sendable {
    /// Most tables that a line names.
    private static let most = 10

    private let role: String
    private let tables: OpenTables
    /// `db-open-tables`
    private let meant: Set<String>
    private let database: Database
    private let logger: Logger

    /// nil when nobody gets in without a token, or nobody wants to know.
    init?(_ settings: Settings, database: Database, logger: Logger) {
        meant = Set(settings.list("db-open-tables"))
        guard let role = settings.string("db-anon-role"), !role.isEmpty, !meant.contains("*") else {
            return nil
        }
        self.role = role
        tables = OpenTables(reachedBy: role, in: settings.schemas)
        self.database = database
        self.logger = logger
    }

    /// Looks whenever the catalog was read, until it is not read any more.
    func run(_ catalogs: CatalogStore) async {
        let events = catalogs.events()
        var known: [OpenTables.Table] = []
        if catalogs.current != nil { known = await look(known) }
        for await event in events {
            guard case .loaded = event else { continue }
            known = await look(known)
        }
    }

    // MARK: - Non public

    /// Says what is open when it is not what was known, and returns it.
    private func look(_ known: [OpenTables.Table]) async -> [OpenTables.Table] {
        // A database that is away is told of by the driver; the catalog is read again when it is back.
        guard let found = try? await tables.read(from: database) else { return known }
        let open = found.filter { !meant.contains($0.name) && !meant.contains("\($0.schema).\($0.name)") }
        guard let first = open.first, open != known else { return open }
        let others = open.count > Self.most ? " and \(open.count - Self.most) more" : ""
        logger.warning(
            "tables without row level security are open to requests without a token",
            metadata: [
                "role": "\(role)",
                "tables": "\(open.prefix(Self.most).map(\.quoted).joined(separator: ", "))\(others)",
                "hint":
                    "alter table \(first.quoted) enable row level security; and give it policies. What is meant to be open is named in db-open-tables.",
            ])
        return open
    }
}

package import ApusCatalog
import ApusSQL

/// Reads the catalog of a database.
///
/// Seventeen queries travel together in one round trip, under one snapshot, so that they agree with each
/// other; then the connection goes back, and the rows are put together by ``CatalogFold``.
package struct CatalogReader {
    /// How long the queries may take together. They take milliseconds, up to a second for thousands of tables.
    private static let timeout = Duration.seconds(60)

    /// - Throws: what kept the database from answering. A schema of `settings` that does not exist is no fault:
    ///   ``Catalog/schemas`` lacks it.
    @concurrent
    package static func read(
        from database: Database, settings: CatalogSettings
    ) async throws(PostgresFault) -> Catalog {
        let trip = roundTrip(settings)
        let answers: [Rows]
        do {
            answers = try await database.withSession { try await $0.execute(trip, timeout: timeout) }
        } catch let fault as PostgresFault {
            throw fault
        } catch {
            throw PostgresFault(.cancelled, "the catalog was not read: \(error)")
        }
        var rows = CatalogRows()
        for (part, answer) in zip(parts, answers) { part.store(answer, &rows) }
        return CatalogFold.catalog(of: rows, settings: settings)
    }

    // MARK: - Non public

    /// One query and where its rows go.
    private struct Part: Sendable {
        let query: @Sendable (CatalogSettings) -> SQL
        let store: @Sendable (Rows, inout CatalogRows) -> Void

        init<Row: CatalogRow>(_ path: any WritableKeyPath<CatalogRows, [Row]> & Sendable) {
            query = Row.query
            store = { $1[keyPath: path] = RowReader.read($0, as: Row.self) }
        }
    }

    private static let parts = [
        Part(\.server), Part(\.schemas), Part(\.relations), Part(\.columns), Part(\.enumLabels),
        Part(\.constraints), Part(\.uniqueIndexes), Part(\.views), Part(\.policies), Part(\.functions),
        Part(\.parameters), Part(\.computedRelationships), Part(\.representations), Part(\.mediaHandlers),
        Part(\.roleSettings), Part(\.timezones), Part(\.mentions),
    ]

    /// The search path is empty so that names are printed with their schema. Compiling these queries (JIT) would
    /// take longer than running them.
    private static func roundTrip(_ settings: CatalogSettings) -> RoundTrip {
        func step(_ sql: SQL, keepsRows: Bool = false) -> RoundTrip.Step {
            RoundTrip.Step(Statement(sql), keepsRows: keepsRows)
        }
        return RoundTrip(
            steps: [
                step("begin isolation level repeatable read, read only"),
                step("set local search_path to ''"), step("set local jit to off"),
            ] + parts.map { step($0.query(settings), keepsRows: true) } + [step("commit")],
            isReadOnly: true)
    }
}

package import ApusPostgres
import ApusSQL

/// Brings a database to what this version of Apus needs: roles, the functions of policies, grants.
///
/// Safe when many nodes start at once, and cheap when there is nothing to do.
package struct SystemMigrator: Sendable {
    /// What happened to a step.
    package enum Event: Sendable {
        /// Somebody else migrates this database.
        case waiting
        case applied(SystemStep)
        /// The connected role may not do this step; the fault is worth a line in the log, and the next start
        /// tries again.
        case left(SystemStep, MigrationFault)
    }

    private let database: Database
    private let steps: [SystemStep]
    private let settings: MigrationSettings

    /// - Parameters:
    ///   - database: connected as a superuser, or as the owner of the database with CREATEROLE.
    ///   - steps: ``SystemStep/all(catalogEventTrigger:)``.
    package init(database: Database, steps: [SystemStep], settings: MigrationSettings = .init()) {
        self.database = database
        self.steps = steps
        self.settings = settings
    }

    /// Applies the steps that are not recorded.
    ///
    /// - Throws: ``MigrationFault/lackOfPrivilege(purpose:remedy:_:)`` for a step that cannot be left out, and
    ///   what else a database can refuse.
    package func run(onEvent: (Event) -> Void = { _ in }) async throws(MigrationFault) {
        try await MigrationLock.withLock(
            database, settings: settings, onWait: { onEvent(.waiting) }
        ) { session in
            let recorded = try await recorded(session)
            var faults: [Int: MigrationFault] = [:]
            for step in steps where !recorded.contains(step.number) {
                if let fault = step.needs.compactMap({ faults[$0] }).first {
                    faults[step.number] = fault
                    onEvent(.left(step, fault))
                    continue
                }
                do throws(PostgresFault) {
                    try await apply(step, on: session)
                    onEvent(.applied(step))
                } catch {
                    let fault = fault(of: step, error)
                    guard case .lackOfPrivilege = fault, step.lackOfPrivilege == .isNotice else {
                        throw fault
                    }
                    faults[step.number] = fault
                    onEvent(.left(step, fault))
                }
            }
        }
    }

    // MARK: - Non public

    /// Another database of the cluster may change the same roles at this moment (23505, 42710, and XX000 "tuple
    /// concurrently updated"); when it is done, so is the step, or it works the second time.
    private static let passing: Set<String> = ["23505", "42710", "XX000", "40001", "40P01"]
    private static let attempts = 5

    private func recorded(_ session: Session) async throws -> Set<Int> {
        do throws(PostgresFault) {
            let rows = try await session.query("select number from apus.system_migrations")
            return Set((0..<rows.count).compactMap { rows.int($0, 0) })
        } catch {
            throw MigrationFault(error, purpose: "table apus.system_migrations", remedy: Records.remedy)
        }
    }

    private func apply(_ step: SystemStep, on session: Session) async throws(PostgresFault) {
        for attempt in 1... {
            do throws(PostgresFault) {
                try await applyOnce(step, on: session)
                return
            } catch {
                guard Self.passing.contains(error.sqlState ?? ""), attempt < Self.attempts else {
                    throw error
                }
            }
        }
    }

    private func applyOnce(_ step: SystemStep, on session: Session) async throws(PostgresFault) {
        do throws(PostgresFault) {
            try await session.query("begin")
            try await session.simpleQuery(step.sql, timeout: settings.statementTimeout)
            try await session.query(
                """
                insert into apus.system_migrations (number, name) values (\(bind: step.number), \(bind: step.name))
                """)
            try await session.query("commit")
        } catch {
            // A connection that cannot even roll back is lost, and the transaction with it.
            try? await session.simpleQuery("rollback")
            throw error
        }
    }

    private func fault(of step: SystemStep, _ cause: PostgresFault) -> MigrationFault {
        switch cause.kind {
        case .server:
            cause.sqlState == "42501"
                ? .lackOfPrivilege(purpose: step.name, remedy: step.remedy, cause) : .systemStep(step, cause)
        default: .database(cause)
        }
    }
}

package import ApusFaults
import ApusPostgres

extension MigrationFault {
    /// The coded error, for a command line and a log; listed in `docs/migrations.md`.
    package var fault: Fault {
        switch self {
        case .serverTooOld(let version):
            Fault(
                code: "APUS201", kind: .unsupported,
                message: "PostgreSQL \(version / 10_000) is too old: Apus needs version 15 or later.",
                hint: "Upgrade the server; any of 15 to 18 will do.")
        case .lackOfPrivilege(let purpose, let remedy, let cause):
            cause.told(
                code: "APUS202", kind: .forbidden,
                message: "A privilege is missing for \(purpose): \(cause.message)", hint: remedy)
        case .systemStep(let step, let cause):
            cause.told(
                code: "APUS203", kind: .internal,
                message: "Step \(step.number) (\(step.name)) of Apus's own schema failed: \(cause.message)")
        case .locked(let waited):
            Fault(
                code: "APUS204", kind: .unavailable,
                message: "Another process has been migrating this database for \(waited).",
                hint: """
                    Wait for it, or find it: select pid from pg_locks where locktype = 'advisory' and granted;
                    """)
        case .database(let cause):
            cause.told(
                code: "APUS205", kind: .unavailable,
                message: "The database did not go along: \(cause.message)")
        case .interrupted(let reason):
            Fault(code: "APUS206", kind: .internal, message: "Migrating was interrupted: \(reason)")
        case .directory, .fileName, .sameVersion, .content, .refused: fileFault
        case .changed, .missing, .outOfOrder, .statement: historyFault
        }
    }

    // MARK: - Non public

    private var fileFault: Fault {
        switch self {
        case .directory(let path, let reason):
            Fault(code: "APUS210", kind: .invalid, message: "\(path): \(reason).")
        case .fileName(let name):
            Fault(
                code: "APUS211", kind: .invalid, message: "\"\(name)\" is not the name of a migration.",
                hint:
                    "Names are YYYYMMDDHHMMSS_name.sql or NNNN_name.sql, with letters, digits, _ and - in name."
            )
        case .sameVersion(let first, let second):
            Fault(
                code: "APUS212", kind: .invalid, message: "\(first) and \(second) have the same version.",
                hint: "Give the newer one a later version.")
        case .content(let file, let reason):
            Fault(code: "APUS213", kind: .invalid, message: "\(file): \(reason).")
        case .refused(let refusal):
            Fault(
                code: "APUS214", kind: .invalid,
                message: "\(refusal.file):\(refusal.position): \(refusal.reason).",
                details: String(refusal.statement.prefix { !$0.isNewline }.prefix(120)))
        default:
            Fault(code: "APUS206", kind: .internal, message: "\(self)")
        }
    }

    private var historyFault: Fault {
        switch self {
        case .changed(let file):
            Fault(
                code: "APUS215", kind: .conflict, message: "\(file) was changed after it had been applied.",
                hint: "Put the file back as it was, and write what is to change into a new migration.")
        case .missing(let file):
            Fault(
                code: "APUS216", kind: .conflict,
                message: "\(file) has been applied, but the file is missing.",
                hint:
                    "Put the file back; is this the directory, or the branch, that the database was migrated from?"
            )
        case .outOfOrder(let file, let newest):
            Fault(
                code: "APUS217", kind: .conflict,
                message: "\(file) has not been applied, but the newer \(newest) has.",
                hint:
                    "Give the file a later version than \(newest); applying it now would be in another order."
            )
        case .statement(let failure):
            failure.fault
        default:
            Fault(code: "APUS206", kind: .internal, message: "\(self)")
        }
    }
}

extension StatementFailure {
    /// The coded error; `message` starts with `file:line:column`, as editors follow it.
    package var fault: Fault {
        let state = cause.sqlState.map { "SQLSTATE \($0)" }
        let details = [excerpt, state, cause.detail, cause.context].compactMap { $0 }.filter { !$0.isEmpty }
        return Fault(
            code: "APUS218", kind: .invalid, message: "\(file):\(position): \(cause.message)",
            details: details.joined(separator: "\n"),
            hint: [cause.hint, aftermath].compactMap { $0 }.joined(separator: "\n"))
    }

    private var aftermath: String {
        if isUndone { return "Statement \(ordinal) of \(count) failed; nothing of the file stays." }
        if ordinal == 1 {
            return "The file runs without a transaction; its first statement of \(count) failed."
        }
        return """
            The file runs without a transaction: of its \(count) statements those before number \(ordinal) were \
            run and stay. The next run starts at the first again.
            """
    }
}

extension PostgresFault {
    /// The server's detail and SQLSTATE under a code of ours.
    fileprivate func told(code: String, kind: Fault.Kind, message: String, hint: String? = nil) -> Fault {
        let details = [sqlState.map { "SQLSTATE \($0)" }, detail].compactMap { $0 }
        return Fault(
            code: code, kind: kind, message: message,
            details: details.isEmpty ? nil : details.joined(separator: "\n"), hint: hint ?? self.hint,
            mayHaveHappened: mayHaveHappened)
    }
}

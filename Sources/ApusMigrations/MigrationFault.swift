package import ApusPostgres

/// Why migrating failed. Nothing after it ran; what it says ran before stays.
package enum MigrationFault: Error, Sendable {
    // MARK: Apus's own schema

    /// `version` as `PQserverVersion` writes it, for instance 140011.
    case serverTooOld(version: Int)
    /// The connected role may not do what `purpose` needs; `remedy` says who can do what about it.
    case lackOfPrivilege(purpose: String, remedy: String, PostgresFault)
    case systemStep(SystemStep, PostgresFault)

    // MARK: The run

    /// Somebody else migrates this database, and has for all of the time to wait.
    case locked(waited: Duration)
    /// The database went away, or refused what is none of the files' business.
    case database(PostgresFault)
    /// The task was cancelled, or something else that no file is to blame for.
    case interrupted(String)

    // MARK: Files

    case directory(path: String, reason: String)
    case fileName(String)
    case sameVersion(String, String)
    case content(file: String, reason: String)
    case refused(Refusal)

    // MARK: Files against what was applied

    case changed(file: String)
    case missing(file: String)
    /// `file` is not applied, but the newer `newest` is.
    case outOfOrder(file: String, newest: String)
    case statement(StatementFailure)

    /// A statement that is not sent at all.
    package struct Refusal: Sendable, Equatable {
        package let file: String
        package let position: ScriptPosition
        package let reason: String
        package let statement: String
    }
}

package import ApusFaults

/// Why the private PostgreSQL could not be started or stopped; made for an operator at a terminal.
package enum EmbeddedFault: Error, Sendable, Equatable {
    /// The data directory holds something that is not Apus's.
    case foreignDirectory(path: String, holds: String)
    /// Another server works on the data directory.
    case directoryInUse(path: String, pid: Int32?, since: String?)
    /// A directory or file cannot be made, read or written.
    case notWritable(path: String, reason: String)
    /// The data were written by another major version than the programs at hand.
    case otherVersion(path: String, data: Int, programs: Int)
    /// No PostgreSQL was found.
    case programsMissing(searched: [String])
    /// The PostgreSQL that a setting names, or the only one found, cannot be used.
    case programsUnsuitable(path: String, reason: String)
    /// Too little room for a new cluster, or a write that found none. Sizes in bytes.
    case diskFull(path: String, free: UInt64, needed: UInt64)
    /// Apus runs as root, and the user that PostgreSQL runs as cannot walk to its data.
    case outOfReach(path: String, account: String)
    /// `initdb` failed; nothing is left of its attempt.
    case initializationFailed(output: String)
    /// `postgres` did not come up.
    case startFailed(reason: String, log: String)
    /// PostgreSQL was asked to stop, then told to, and still runs.
    case stopTimedOut(pid: Int32)
    /// Processes of a server that is gone still work on the data.
    case strayProcesses(path: String, pids: [Int32])
    /// The short directory for the socket exists and is not ours alone.
    case unsafeSocketDirectory(path: String, reason: String)
    /// The path has a character that PostgreSQL's own tools cannot carry.
    case unusablePath(path: String, character: String)
}

extension EmbeddedFault: CustomStringConvertible {
    package var description: String {
        let fault = fault
        return ["\(fault.code): \(fault.message)", fault.details, fault.hint].compactMap(\.self)
            .joined(separator: "\n")
    }
}

extension EmbeddedFault {
    /// The coded error; codes `APUS101` to `APUS114` of `docs/errors.md`.
    package var fault: Fault {
        switch self {
        case .foreignDirectory(let path, let holds):
            Fault(
                code: "APUS101", kind: .invalid,
                message: "The data directory \(path) holds \(holds), which Apus did not put there.",
                hint: "Name a directory that is empty or does not exist yet. Nothing was changed.")
        case .directoryInUse(let path, let pid, let since):
            Fault(
                code: "APUS102", kind: .conflict,
                message: "Another server works on the data directory \(path)"
                    + (pid.map { ": process \($0)" } ?? "") + (since.map { ", since \($0)" } ?? "") + ".",
                hint: "Stop it, or name another data directory.")
        case .notWritable(let path, let reason):
            Fault(
                code: "APUS103", kind: .internal, message: "Cannot use \(path): \(reason).",
                hint: "Run Apus as the user that owns the data directory, or name another one.")
        case .otherVersion(let path, let data, let programs):
            Fault(
                code: "APUS104", kind: .conflict,
                message: "The data in \(path) belong to PostgreSQL \(data); the programs are PostgreSQL "
                    + "\(programs).",
                hint: data < programs
                    ? "Dump them with PostgreSQL \(data) (pg_dumpall) and load them into a new data directory, "
                        + "or let APUS_POSTGRES_BIN name the programs of PostgreSQL \(data)."
                    : "Let APUS_POSTGRES_BIN name the programs of PostgreSQL \(data).")
        case .programsMissing(let searched):
            Fault(
                code: "APUS105", kind: .internal,
                message: "No PostgreSQL \(PostgresPrograms.oldestMajor) or later was found.",
                details: "Searched: " + searched.joined(separator: ", "),
                hint:
                    "Run scripts/setup, let APUS_POSTGRES_BIN name the directory of its programs, or name the "
                    + "URL of a database.")
        case .programsUnsuitable(let path, let reason):
            Fault(
                code: "APUS106", kind: .internal,
                message: "The PostgreSQL in \(path) cannot be used: \(reason).",
                hint:
                    "PostgreSQL \(PostgresPrograms.oldestMajor) or later is needed: postgres, initdb, pg_ctl."
            )
        case .diskFull(let path, let free, let needed):
            Fault(
                code: "APUS107", kind: .unavailable,
                message:
                    "The disk of \(path) is full: \(free >> 20) MB are free, \(needed >> 20) MB are needed.",
                hint: "Make room, or name a data directory on another disk.")
        case .outOfReach(let path, let account):
            Fault(
                code: "APUS108", kind: .internal,
                message:
                    "PostgreSQL refuses to run as root, and user \(account), who runs it instead, may not "
                    + "enter \(path).",
                hint:
                    "Name a data directory whose parent directories everybody may enter (chmod o+x), or run "
                    + "Apus as an ordinary user.")
        case .initializationFailed(let output):
            Fault(
                code: "APUS109", kind: .internal, message: "A new database cluster could not be made.",
                details: output)
        case .startFailed(let reason, let log):
            Fault(
                code: "APUS110", kind: .unavailable, message: "PostgreSQL did not start: \(reason)",
                hint: "Its log is \(log).")
        case .stopTimedOut(let pid):
            Fault(
                code: "APUS111", kind: .timeout, message: "PostgreSQL (process \(pid)) does not stop.",
                hint: "The data are safe: it may be killed, and the next start recovers them.")
        case .strayProcesses(let path, let pids):
            Fault(
                code: "APUS112", kind: .conflict,
                message: "PostgreSQL processes still work on \(path) without their server: "
                    + pids.map(String.init).joined(separator: ", ") + ".",
                hint: "Stop them (kill), then try again.")
        case .unsafeSocketDirectory(let path, let reason):
            Fault(
                code: "APUS113", kind: .internal,
                message: "The directory for PostgreSQL's socket, \(path), \(reason).",
                hint: "Remove it, or name a data directory with a shorter path.")
        case .unusablePath(let path, let character):
            Fault(
                code: "APUS114", kind: .invalid,
                message: "A data directory's path may not contain \(character): \(path)")
        }
    }
}

import ApusFaults
import ApusPostgres

/// Why there is no change feed, for people who can mend it.
enum FeedFault {
    static func walLevel(_ level: String) -> Fault {
        Fault(
            code: "APUS601", kind: .unavailable,
            message: "The change feed needs wal_level = logical; the server has wal_level = \(level).",
            hint: "alter system set wal_level = 'logical', then restart PostgreSQL.")
    }

    static func replication(role: String) -> Fault {
        Fault(
            code: "APUS602", kind: .unavailable,
            message: "The change feed needs a role with REPLICATION; \(role) has not got it.",
            hint: "alter role \(role) replication, or name another role with realtime-db-uri.")
    }

    /// The table of epochs is not there, or not for this role.
    static func notPrepared(role: String, _ cause: PostgresFault) -> Fault {
        Fault(
            code: "APUS603", kind: .unavailable,
            message: "The change feed cannot keep its epoch in apus.feed_epochs: \(cause.message)",
            hint:
                "Run apus migrate up as the owner, and grant usage on schema apus and select, insert, update on "
                + "apus.feed_epochs to \(role).")
    }

    static func publication(_ name: String, role: String, _ cause: PostgresFault) -> Fault {
        Fault(
            code: "APUS604", kind: .unavailable,
            message: "The publication \(name) cannot be made: \(cause.message)",
            hint:
                "create publication \(name) as the owner of the tables or a superuser, or grant \(role) create "
                + "on this database.")
    }

    static func slot(_ name: String, _ cause: PostgresFault) -> Fault {
        Fault(
            code: "APUS605", kind: .unavailable,
            message: "The replication slot \(name) cannot be made or used: \(cause.message)",
            details: cause.detail, hint: cause.hint ?? "Is max_replication_slots or max_wal_senders used up?")
    }

    /// A slot of this name is somebody else's.
    static func foreignSlot(_ name: String) -> Fault {
        Fault(
            code: "APUS606", kind: .unavailable,
            message: "The replication slot \(name) is not a pgoutput slot of this database.",
            hint: "Choose another name with realtime-slot.")
    }

    static func database(_ cause: PostgresFault) -> Fault {
        Fault(
            code: "APUS607", kind: .unavailable,
            message: "The change feed has lost its connection to the database: \(cause.message)",
            details: cause.detail)
    }

    /// Another node reads the feed, and what brings it here is away.
    static func bus(_ reason: String) -> Fault {
        Fault(
            code: "APUS609", kind: .unavailable,
            message: "The change feed does not reach this node: \(reason)",
            hint: "Is the Redis of realtime-bus-uri there?")
    }

    static func stream(_ failure: FeedFailure) -> Fault {
        Fault(code: "APUS608", kind: .internal, message: failure.message)
    }
}

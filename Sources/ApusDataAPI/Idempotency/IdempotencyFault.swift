import ApusFaults
import ApusPostgres

/// Why a request with an idempotency key is refused.
enum IdempotencyFault {
    static let running = Fault(
        code: "APUS409", kind: .conflict, message: "A request with this Idempotency-Key is running.",
        hint: "Wait a moment and send it again: it will get the first one's answer.")

    static let otherRequest = Fault(
        code: "APUS422", kind: .status(422), message: "This Idempotency-Key was used for another request.",
        hint: "Use a new key for every effect; send the very same request to repeat one.")

    /// What the database's refusal of the table of keys means: it is missing or closed, or the database has other
    /// worries.
    static func fault(of refusal: PostgresFault) -> Fault {
        let isMissing = ["42P01", "42501", "3F000"].contains(refusal.sqlState ?? "")
        return isMissing ? unavailable(refusal) : DatabaseFault.fault(refusal, isAnonymous: false)
    }

    private static func unavailable(_ refusal: PostgresFault) -> Fault {
        Fault(
            code: "APUS501", kind: .unsupported,
            message: "Idempotency-Key cannot be honoured by this database.",
            details: refusal.message,
            hint:
                "Run `apus migrate up` as the database's owner, and grant apus.idempotency_keys to the role that Apus logs in as."
        )
    }
}

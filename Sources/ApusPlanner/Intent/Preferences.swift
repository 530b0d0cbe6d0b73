/// The `Prefer` header (RFC 7240), as far as the dialect knows it.
package struct Preferences: Sendable, Hashable {
    package enum Representation: String, Sendable, Hashable, CaseIterable {
        case full = "representation"
        case headersOnly = "headers-only"
        case minimal
    }

    package enum Count: String, Sendable, Hashable, CaseIterable {
        case exact, planned, estimated
    }

    package enum Resolution: String, Sendable, Hashable, CaseIterable {
        case mergeDuplicates = "merge-duplicates"
        case ignoreDuplicates = "ignore-duplicates"
    }

    package enum Transaction: String, Sendable, Hashable, CaseIterable {
        case commit, rollback
    }

    package enum Missing: String, Sendable, Hashable, CaseIterable {
        case `default`, null
    }

    package enum Handling: String, Sendable, Hashable, CaseIterable {
        case strict, lenient
    }

    package var representation: Representation?
    package var count: Count?
    package var resolution: Resolution?
    package var transaction: Transaction?
    package var missing: Missing?
    package var handling: Handling?
    package var timezone: String?
    package var maxAffected: Int?
    /// Preferences that nobody knows, as written; an error under `handling=strict`.
    package var unknown: [String]

    package init(
        representation: Representation? = nil, count: Count? = nil, resolution: Resolution? = nil,
        transaction: Transaction? = nil, missing: Missing? = nil, handling: Handling? = nil,
        timezone: String? = nil, maxAffected: Int? = nil, unknown: [String] = []
    ) {
        self.representation = representation
        self.count = count
        self.resolution = resolution
        self.transaction = transaction
        self.missing = missing
        self.handling = handling
        self.timezone = timezone
        self.maxAffected = maxAffected
        self.unknown = unknown
    }
}

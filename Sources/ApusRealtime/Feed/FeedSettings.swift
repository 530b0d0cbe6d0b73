/// What the feed is told by the configuration.
package struct FeedSettings: Sendable {
    /// libpq's, of a role with REPLICATION.
    package var connectionString: String
    /// nil: `apus_` and the database's object id, because slots are the cluster's and not the database's.
    package var slot: String?
    package var publication = "apus"
    /// Whose tables are published.
    package var schemas: [String]
    /// The most memory of the recent transactions, in bytes.
    package var logBytes = 32 << 20
    /// How long what was published stays unconfirmed, so that clients can resume over a restart.
    package var resumeWindow: Duration = .seconds(60)
    /// From which size on a transaction is handed on in parts, in bytes.
    package var partBytes = 1 << 20
    /// Where large transactions in progress are kept.
    package var spillDirectory = "/tmp"
    /// How often a node that stands by looks whether the slot is free.
    package var standbyInterval: Duration = .milliseconds(500)
    /// How often slot and publication are looked at.
    package var healthInterval: Duration = .seconds(10)

    package init(connectionString: String, schemas: [String]) {
        self.connectionString = connectionString
        self.schemas = schemas
    }
}

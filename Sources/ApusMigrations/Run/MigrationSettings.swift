/// How patient migrating is.
package struct MigrationSettings: Sendable {
    /// The longest wait for another process that migrates the same database.
    package var lockWait: Duration = .seconds(60)
    /// The longest wait of a statement for a lock on a table. While it waits, everybody who comes after it
    /// waits too, so it is short and the file is tried again.
    package var tableLockTimeout: Duration = .seconds(2)
    /// How often a transactional file is tried while tables are locked.
    package var attempts: Int = 10
    /// The longest time that one statement may run.
    package var statementTimeout: Duration = .seconds(24 * 60 * 60)

    package init() {}
}

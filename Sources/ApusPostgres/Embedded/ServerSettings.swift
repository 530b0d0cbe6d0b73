/// The settings that Apus gives its PostgreSQL: `apus.conf`, included by the cluster's `postgresql.conf`.
enum ServerSettings {
    /// The file's text. Two equal texts mean that a running server needs no restart.
    static func text(socketDirectory: String, programs: PostgresPrograms) -> String {
        """
        # Written by Apus at every start; change settings with ALTER SYSTEM, which has the last word.
        # Programs: \(programs.directory)

        # Reached over the unix socket alone; its directory lets only the owner in.
        listen_addresses = ''
        port = \(SocketDirectory.port)
        unix_socket_directories = \(quoted(socketDirectory))
        unix_socket_permissions = 0700

        max_connections = 120
        shared_buffers = 128MB
        timezone = 'UTC'
        password_encryption = scram-sha-256

        # The change feed reads logical replication; one that nobody reads any more may not fill the disk.
        wal_level = logical
        max_wal_senders = 10
        max_replication_slots = 10
        max_slot_wal_keep_size = 4GB

        # To standard error, which Apus sends to a file that it keeps short.
        log_destination = 'stderr'
        logging_collector = off
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] %q%u@%d '
        log_checkpoints = off

        """
    }

    /// One directory of a list of directories, as a configuration file wants it (PostgreSQL, "Parameter
    /// Names and Values"): double quotes keep commas and spaces in a list's element.
    private static func quoted(_ directory: String) -> String {
        "'\"" + directory.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "\"'"
    }
}

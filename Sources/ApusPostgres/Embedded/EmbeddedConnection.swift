/// How to reach the private PostgreSQL. Whoever may enter the socket's directory is trusted under every name.
package struct EmbeddedConnection: Sendable, Equatable {
    /// The directory of the unix socket.
    package var socketDirectory: String
    /// The number in the socket's name.
    package var port: Int

    package init(socketDirectory: String, port: Int) {
        self.socketDirectory = socketDirectory
        self.port = port
    }

    /// A connection string for libpq (PostgreSQL, "Connection Strings"). The superuser unless told otherwise:
    /// right for migrations only.
    package func conninfo(user: String = "postgres", database: String = "postgres") -> String {
        "host=\(quoted(socketDirectory)) port=\(port) user=\(quoted(user)) dbname=\(quoted(database))"
    }

    private func quoted(_ value: String) -> String {
        var text = "'"
        for character in value {
            if character == "'" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "'"
    }
}

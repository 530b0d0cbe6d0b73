extension EmbeddedPostgres {
    /// How to reach the private PostgreSQL that runs in a data directory, whoever started it; nil when none
    /// accepts connections there. Touches nothing.
    package static func running(inDataDirectory path: String) -> EmbeddedConnection? {
        guard let real = LocalFiles.realPath(path) else { return nil }
        let home = LocalFiles.realPath(real + "/home") ?? real
        guard case .server(let postmaster) = Postmaster.Record(ofCluster: home + "/postgres"),
            postmaster.status == "ready"
        else { return nil }
        return EmbeddedConnection(socketDirectory: postmaster.socketDirectory, port: SocketDirectory.port)
    }
}

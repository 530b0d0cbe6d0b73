extension EmbeddedPostgres {
    /// How to reach the private PostgreSQL that runs in a data directory, whoever started it; nil when none
    /// accepts connections there. Touches nothing.
    package static func running(inDataDirectory path: String) -> EmbeddedConnection? {
        guard let real = LocalFiles.realPath(path) else { return nil }
        let cluster = (LocalFiles.realPath(real + "/home") ?? real) + "/postgres"
        guard case .server(let postmaster) = Postmaster.Record(ofCluster: cluster),
            postmaster.status == "ready", let account = try? ServerAccount.forCluster(cluster),
            ClusterProcesses(cluster: cluster, account: account).includes(postmaster.pid)
        else { return nil }
        return EmbeddedConnection(socketDirectory: postmaster.socketDirectory, port: SocketDirectory.port)
    }
}

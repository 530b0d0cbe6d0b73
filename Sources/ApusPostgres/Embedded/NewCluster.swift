#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes a database cluster (PostgreSQL, "initdb"): in a draft directory that is renamed when it is complete,
/// so that a failure on the way leaves nothing.
enum NewCluster {
    static func make(
        in directory: DataDirectory, programs: PostgresPrograms, account: ServerAccount
    ) async throws(EmbeddedFault) {
        do throws(EmbeddedFault) {
            try account.makeOwnDirectory(directory.draft)
            let (status, output) = try await programs.run(
                "initdb", arguments(directory.draft, major: programs.major), as: account)
            guard status == 0 else { throw fault(output, in: directory) }
            try includeSettings(directory.draft + "/postgresql.conf")
            guard rename(directory.draft, directory.cluster) == 0 else {
                throw LocalFiles.failure(directory.cluster)
            }
            LocalFiles.synchronize(directory: directory.home)
        } catch {
            LocalFiles.removeTree(directory.draft)
            throw error
        }
    }

    // MARK: - Non public

    /// Trust, because only who may enter the socket's directory can connect at all.
    private static func arguments(_ draft: String, major: Int) -> [String] {
        let common = [
            "--pgdata", draft, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
            "--data-checksums",
        ]
        #if canImport(Darwin)
            let locale = "en_US.UTF-8"
        #else
            let locale = "C.UTF-8"
        #endif
        // The built-in provider sorts the same on every system and in every later version.
        guard major >= 17 else { return common + ["--locale", locale] }
        return common + [
            "--locale", locale, "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
        ]
    }

    /// Lets the cluster read Apus's settings, which lie beside it; `ALTER SYSTEM` still has the last word.
    private static func includeSettings(_ file: String) throws(EmbeddedFault) {
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw LocalFiles.failure(file) }
        defer { close(descriptor) }
        let text = "\n# Apus's settings, written at every start.\ninclude = '../apus.conf'\n"
        guard LocalFiles.append(text, to: descriptor), fsync(descriptor) == 0 else {
            throw LocalFiles.failure(file)
        }
    }

    private static func fault(_ output: String, in directory: DataDirectory) -> EmbeddedFault {
        guard output.contains("No space left on device") else {
            return .initializationFailed(output: output)
        }
        return .diskFull(
            path: directory.home, free: LocalFiles.freeBytes(at: directory.home) ?? 0,
            needed: DataDirectory.neededForNewCluster)
    }
}

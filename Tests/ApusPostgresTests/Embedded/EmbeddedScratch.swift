import CLibPQ
import Logging
import Testing

@testable import ApusPostgres

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A directory for one test, removed with everything in it, and servers on it.
final class EmbeddedScratch: Sendable {
    /// Everybody may walk through it: as root, the server runs as another user.
    let path: String

    init() throws {
        var template = Array("/tmp/apus-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try #require(chmod(path, 0o755) == 0)
    }

    deinit { LocalFiles.removeTree(path) }

    var data: String { path + "/data" }

    /// The PostgreSQL under test: 18, unless the environment names another.
    static var programs: String? { getenv("APUS_TEST_PG_BIN").map { String(cString: $0) } }

    func server(at place: String? = nil) -> EmbeddedPostgres {
        EmbeddedPostgres(
            dataDirectory: place ?? data, programs: Self.programs,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs a test on a started server, which is stopped afterwards.
    func withServer(
        at place: String? = nil, _ body: (EmbeddedPostgres, EmbeddedConnection) async throws -> Void
    ) async throws {
        let server = server(at: place)
        let connection = try await server.start()
        do {
            try await body(server, connection)
        } catch {
            try? await server.stop()
            throw error
        }
        try await server.stop()
    }

    /// A file's text, trimmed of its last line break.
    func text(_ file: String) -> String? { LocalFiles.read(data + "/" + file) }

    /// Every name below the data directory, with sizes: what "nothing was touched" means.
    func inventory(_ directory: String? = nil) -> [String] {
        let directory = directory ?? data
        return (LocalFiles.names(in: directory) ?? []).sorted().flatMap { name -> [String] in
            let inner = directory + "/" + name
            guard let status = LocalFiles.status(inner, ofLink: true) else { return [] }
            return ["\(inner) \(status.mode) \(status.size)"] + (status.isDirectory ? inventory(inner) : [])
        }
    }
}

/// A blocking connection of libpq, for tests that look at the server from outside the driver.
final class PlainConnection {
    private let connection: OpaquePointer

    /// nil if the server does not accept it.
    init?(_ conninfo: String) {
        guard let connection = PQconnectdb(conninfo) else { return nil }
        guard PQstatus(connection) == CONNECTION_OK else {
            PQfinish(connection)
            return nil
        }
        self.connection = connection
    }

    deinit { PQfinish(connection) }

    /// The first value of the answer; nil if there is none.
    func value(_ statement: String) -> String? {
        let result = PQexec(connection, statement)
        defer { PQclear(result) }
        guard PQntuples(result) > 0, let value = PQgetvalue(result, 0, 0) else { return nil }
        return String(cString: value)
    }

    /// Sends a statement without waiting for its answer.
    func send(_ statement: String) -> Bool {
        PQsendQuery(connection, statement) == 1 && PQflush(connection) == 0
    }
}

import Foundation
import Testing

/// TLS, and HTTP/2 over it.
@Suite struct SecureTests {
    @Test func speaksHTTP2AndHTTP1OverTLS() async throws {
        let place = try Scratch.directory()
        defer { Scratch.remove(place) }
        let made = try await Program.run(
            executable: "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout", place + "/key.pem", "-out", place + "/cert.pem", "-days", "2", "-subj",
                "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ], in: place)
        try #require(made.status == 0, "\(made.errors)")
        let server = try ServerProcess(
            migration: Fixture.migration,
            [
                "--server-tls-certificate", place + "/cert.pem", "--server-tls-key", place + "/key.pem",
                "--server-max-body", "1000",
            ])
        try server.launch()
        let url = "https://localhost:\(server.port)"
        let trust = [
            "--cacert", place + "/cert.pem", "--retry", "100", "--retry-connrefused", "--retry-delay", "1",
        ]
        let modern = try await Curl.get("\(url)/rest/v1/things?id=eq.1&select=id", trust + ["--http2"])
        #expect(modern.status == 200, "\(server.log)")
        #expect(modern.version == "2")
        #expect(modern.body == #"[{"id":1}]"#)
        let older = try await Curl.get("\(url)/rest/v1/things?id=eq.2&select=id", trust + ["--http1.1"])
        #expect(older.version == "1.1")
        #expect(older.body == #"[{"id":2}]"#)
        let large = try await Curl.get(
            "\(url)/rest/v1/rpc/echo", trust + ["--http2", "-d", String(repeating: "x", count: 2_000)])
        #expect(large.status == 413)
        server.signal(SIGTERM)
        #expect(await server.end() == 0)
    }
}

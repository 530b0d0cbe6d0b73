import Foundation
import Testing

/// A folder of files to serve, and beside it what nobody may get.
struct WebFixture {
    /// What stands in every file that must not be served.
    static let secret = "TOP SECRET"

    let directory: URL
    var root: URL { directory.appending(path: "site") }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "apus-web-\(UUID().uuidString)")
        for folder in ["site/assets", "site/.git", "site/health", "outside"] {
            try FileManager.default.createDirectory(
                at: directory.appending(path: folder), withIntermediateDirectories: true)
        }
        try write("site/index.html", "<!doctype html><title>home</title>")
        try write("site/assets/app.mjs", "export const one = 1;")
        try write("site/assets/style.css", "body {}")
        try write("site/assets/logo.svg", "<svg/>")
        try write("site/assets/data.unheardof", "??")
        try write("site/assets/ä b.txt", "umlaut and space")
        try write("site/big.bin", String(repeating: "x", count: 5_000))
        try write("site/health/live", Self.secret)
        for hidden in ["secret.txt", "outside/secret.txt", "site/.env", "site/.git/config"] {
            try write(hidden, Self.secret)
        }
        try link("site/link.txt", to: directory.appending(path: "secret.txt").path)
        try link("site/relative.txt", to: "../secret.txt")
        try link("site/linked", to: directory.appending(path: "outside").path)
        try link("site/inner.html", to: "index.html")
        try link("current", to: root.path)
        mkfifo(root.appending(path: "pipe").path, 0o644)
    }

    func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: directory.appending(path: path))
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.appending(path: path).path, withDestinationPath: target)
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }

    /// Runs `body` on a server of this folder.
    static func serving(
        _ changes: [String: String] = [:], _ body: (WebFixture, TestServer) async throws -> Void
    ) async throws {
        let fixture = try WebFixture()
        defer { fixture.remove() }
        let server = try await TestServer.start(["web-root": fixture.root.path].merging(changes) { $1 })
        try await body(fixture, server)
        await server.stop()
    }
}

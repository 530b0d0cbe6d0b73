import ApusFaults
import Foundation
import Testing

/// Files of a folder (`web-root`).
@Suite struct WebTests {
    @Test func filesWithTheirTypes() async throws {
        try await WebFixture.serving { _, server in
            let types = [
                "/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8",
                "/assets/app.mjs": "text/javascript; charset=utf-8",
                "/assets/style.css": "text/css; charset=utf-8", "/assets/logo.svg": "image/svg+xml",
                "/assets/data.unheardof": "application/octet-stream",
                "/assets/%C3%A4%20b.txt": "text/plain; charset=utf-8", "/?a=../x": "text/html; charset=utf-8",
            ]
            for (path, type) in types {
                let reply = await server.get(path)
                #expect(reply.status == 200, "\(path): \(reply.text)")
                #expect(reply.field("Content-Type") == type, "\(path)")
                #expect(!reply.bytes.isEmpty)
            }
            #expect(await server.get("/assets/%C3%A4%20b.txt").text == "umlaut and space")
        }
    }

    @Test func answersCarryTheirSafety() async throws {
        try await WebFixture.serving { _, server in
            let policy =
                "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            for (path, status) in [("/", 200), ("/nothing", 404)] {
                let reply = await server.get(path)
                #expect(reply.status == status)
                #expect(reply.field("Content-Security-Policy") == policy)
                #expect(reply.field("X-Content-Type-Options") == "nosniff")
                #expect(reply.field("X-Frame-Options") == "DENY")
                #expect(reply.field("Referrer-Policy") == "same-origin")
                #expect(reply.field("Cross-Origin-Resource-Policy") == "same-origin")
                #expect(reply.field("Access-Control-Allow-Origin") == nil)
            }
        }
    }

    @Test func aPolicyOfOnesOwn() async throws {
        try await WebFixture.serving(["web-csp": "default-src 'none'"]) { _, server in
            #expect(await server.get("/").field("Content-Security-Policy") == "default-src 'none'")
        }
    }

    @Test func unchangedFilesAreNotSentAgain() async throws {
        try await WebFixture.serving { fixture, server in
            let first = await server.get("/")
            let tag = try #require(first.field("ETag"))
            #expect(tag.hasPrefix("\"") && tag.count == 34)
            #expect(first.field("Cache-Control") == "no-cache")
            for known in [tag, "W/" + tag, "\"other\", \(tag)", "*"] {
                let again = await server.get("/", ["If-None-Match": known])
                #expect(again.status == 304 && again.bytes.isEmpty, "\(known)")
                #expect(again.field("ETag") == tag && again.field("Cache-Control") == "no-cache")
            }
            #expect(await server.get("/", ["If-None-Match": "\"other\""]).status == 200)
            // As long as before, and within the same tick of a coarse clock: the tag is made of the bytes.
            try fixture.write("site/index.html", "<!doctype html><title>HOME</title>")
            let changed = await server.get("/", ["If-None-Match": tag])
            #expect(changed.status == 200 && changed.text.contains("HOME"))
            #expect(changed.field("ETag") != tag)
        }
    }

    @Test func headHasTheFieldsOfGet() async throws {
        try await WebFixture.serving { _, server in
            let (get, head) = (
                await server.get("/assets/app.mjs"), await server.send(.head, "/assets/app.mjs")
            )
            #expect(head.status == 200 && head.bytes.isEmpty)
            #expect(head.field("Content-Length") == "\(get.bytes.count)")
            for name in ["ETag", "Content-Type", "Cache-Control"] {
                #expect(head.field(name) == get.field(name))
            }
            #expect(await server.send(.head, "/nothing").status == 404)
        }
    }

    @Test func filesAreOnlyRead() async throws {
        try await WebFixture.serving { _, server in
            for verb in [Verb.post, .put, .patch, .delete, .options, .other("TRACE")] {
                let reply = await server.send(verb, "/index.html")
                #expect(reply.status == 405 && reply.code == "APUS406")
                #expect(reply.field("Allow") == "GET, HEAD")
            }
        }
    }

    @Test func largeFilesAreRefused() async throws {
        try await WebFixture.serving(["web-max-file": "4999"]) { _, server in
            let reply = await server.get("/big.bin")
            #expect(reply.status == 500 && reply.code == "APUS460")
        }
        try await WebFixture.serving(["web-max-file": "5000"]) { _, server in
            #expect(await server.get("/big.bin").bytes.count == 5_000)
        }
    }

    @Test func theAPIComesFirst() async throws {
        try await WebFixture.serving { _, server in
            #expect(await server.get("/health/live").text == #"{"status":"live"}"#)
            #expect(await server.get("/rest/v1/books?limit=1").status == 200)
            #expect(await server.get("/rest/v1/index.html").code == "PGRST205")
        }
    }

    @Test func withoutAFolderNothingIsServed() async throws {
        let reply = try await Servers.reading.value.get("/")
        #expect(reply.status == 404 && reply.code == "APUS404")
        #expect(reply.field("Content-Security-Policy") == nil)
    }

    @Test func theFolderItselfMayBeALink() async throws {
        try await WebFixture.serving { fixture, _ in
            let server = try await TestServer.start(["web-root": fixture.directory.path + "/current"])
            #expect(await server.get("/").status == 200)
            // A release is swapped by swapping the link.
            try fixture.write("outside/index.html", "the next release")
            try FileManager.default.removeItem(atPath: fixture.directory.path + "/current")
            try fixture.link("current", to: fixture.directory.path + "/outside")
            #expect(await server.get("/").text == "the next release")
            await server.stop()
        }
    }

    @Test(arguments: [
        (["web-root": "/nonexistent/site"], "APUS004"), (["web-root": "/etc/hostname"], "APUS004"),
        (["web-root": "/tmp", "web-csp": "default-src 'self'\r\nSet-Cookie: a=1"], "APUS002"),
        (["web-root": "/tmp", "rest-prefix": "/"], "APUS002"),
    ])
    func settingsThatDoNotHold(changes: [String: String], code: String) async throws {
        let fault = await #expect(throws: Fault.self) { _ = try await TestServer.start(changes) }
        #expect(fault?.code == code)
    }
}

/// Requests that try to leave the folder, or to see what is hidden in it.
@Suite struct WebAttackTests {
    @Test func nothingElseIsServed() async throws {
        let attacks = [
            "/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt",
            "/..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt",
            "/%252e%252e/secret.txt", "/%c0%ae%c0%ae/secret.txt", "/%u002e%u002e/secret.txt",
            "/assets/..;/..;/secret.txt", "/....//secret.txt", "/.%2e/secret.txt",
            "/.env", "/%2eenv", "/.git/config", "/assets/../.env", "/.", "/..", "/%2e", "/./index.html",
            "//secret.txt", "//index.html", "/assets//app.mjs", "/%2findex.html", "/index.html%2f",
            "/index.html%00.css", "/index.html%0a", "/%7f", "/index.html/", "/index.html/x",
            "/assets", "/assets/", "/linked/", "/%", "/%2", "/%zz", "/%ff",
            "/link.txt", "/relative.txt", "/linked/secret.txt", "/inner.html", "/pipe",
            "/" + String(repeating: "a/", count: 40) + "x", "/" + String(repeating: "a", count: 300),
            "/~root/secret.txt", "/file:///etc/passwd", "/INDEX.HTML/../../secret.txt",
        ]
        try await WebFixture.serving { fixture, server in
            #expect(await server.get("/index.html").status == 200)
            for path in attacks + [fixture.directory.path + "/secret.txt"] {
                let reply = await server.get(path)
                #expect(reply.status == 404, "\(path): \(reply.status)")
                #expect(reply.code == "APUS404", "\(path)")
                #expect(!reply.text.contains(WebFixture.secret), "\(path)")
            }
        }
    }

    @Test("A link that takes a file's place while it is served leads nowhere")
    func swappedWhileServed() async throws {
        try await WebFixture.serving { fixture, server in
            let (file, other) = (fixture.root.path + "/assets/app.mjs", fixture.root.path + "/assets/other")
            let swapping = Task {
                while !Task.isCancelled {
                    try? FileManager.default.createSymbolicLink(
                        atPath: other, withDestinationPath: fixture.directory.path + "/secret.txt")
                    _ = rename(other, file)
                    try? fixture.write("site/assets/other", "export const one = 1;")
                    _ = rename(other, file)
                    await Task.yield()
                }
            }
            var statuses: Set<Int> = []
            for _ in 0..<2_000 {
                let reply = await server.get("/assets/app.mjs")
                statuses.insert(reply.status)
                #expect(!reply.text.contains(WebFixture.secret))
                if statuses.count == 2, statuses.isSubset(of: [200, 404]) { break }
            }
            swapping.cancel()
            _ = await swapping.value
            #expect(statuses.isSubset(of: [200, 404, 503]))
        }
    }

    @Test func manyAtOnce() async throws {
        try await WebFixture.serving { _, server in
            let replies = await withTaskGroup(of: Int.self) { group in
                for n in 0..<200 {
                    group.addTask {
                        await server.get(n % 2 == 0 ? "/assets/style.css" : "/health/live").status
                    }
                }
                return await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(replies == [200: 200])
        }
    }
}

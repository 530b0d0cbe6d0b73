package import ApusFaults
package import ApusHTTP
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves the files of a folder (`web-root`), for a web page that calls the API of the same origin.
///
/// It stands behind all other routes. A path is a file or nothing: there are no listings and no rewriting.
package struct WebEndpoint: Sendable {
    private let folder: WebFolder
    /// Of all answers, also of those without a file.
    private let safety: [HeaderField]

    /// Bytes of files that are kept in memory.
    private static let shelfBytes = 64 << 20

    /// - Parameters:
    ///   - root: the folder.
    ///   - largest: largest file that is served, in bytes.
    ///   - policy: `Content-Security-Policy` (CSP level 3) of all answers.
    /// - Throws: when the folder is not there, or the policy is no value of a header field.
    package init(root: String, largest: Int, policy: String) throws(Fault) {
        guard policy.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw Fault(
                code: "APUS002", kind: .invalid,
                message: "The setting 'web-csp' has characters that no header may have.")
        }
        folder = WebFolder(root: root, largest: largest, shelf: WebShelf(limit: Self.shelfBytes))
        guard folder.isThere else {
            throw Fault(
                code: "APUS004", kind: .invalid,
                message: "The folder '\(root)' that web-root names cannot be opened.",
                hint: "Check the path and who may enter it.")
        }
        let policies = policy.isEmpty ? [] : [HeaderField("Content-Security-Policy", policy)]
        safety =
            policies + [
                .init("X-Content-Type-Options", "nosniff"),
                .init("X-Frame-Options", "DENY"),
                .init("Referrer-Policy", "same-origin"),
                .init("Cross-Origin-Opener-Policy", "same-origin-allow-popups"),
                .init("Cross-Origin-Resource-Policy", "same-origin"),
            ]
    }

    /// Answers an exchange; the file system is asked on a thread that may wait.
    package func respond(_ exchange: HTTPExchange) {
        let request = exchange.request
        guard request.method == .GET || request.method == .HEAD else {
            return exchange.respond(answer(Self.readOnly))
        }
        guard let path = WebPath(request.path) else { return exchange.respond(answer(Self.nothing)) }
        NIOThreadPool.singleton.submit { state in
            let finding = state == .active ? folder.find(path) : .unavailable
            exchange.respond(making: { self.answer(finding, request) })
        }
    }

    // MARK: - Non public

    private func answer(_ finding: WebFolder.Finding, _ request: HTTPRequest) -> HTTPResponse {
        switch finding {
        case .file(let file): answer(file, request)
        case .missing: answer(Self.nothing)
        case .tooLarge: answer(Self.tooLarge)
        case .unavailable: answer(Self.unavailable)
        }
    }

    private func answer(_ file: WebFile, _ request: HTTPRequest) -> HTTPResponse {
        // Names do not change with content, so a browser keeps a file and asks each time whether it still holds.
        var fields = [HeaderField("ETag", file.tag), HeaderField("Cache-Control", "no-cache")] + safety
        let known = request.headers[canonicalForm: "if-none-match"]
        if known.contains(where: { $0 == "*" || $0 == file.tag || $0 == "W/" + file.tag }) {
            return HTTPResponse(status: 304, fields: fields, body: .none)
        }
        fields.append(HeaderField("Content-Type", file.mediaType))
        guard request.method == .GET else {
            fields.append(HeaderField("Content-Length", String(file.bytes.readableBytes)))
            return HTTPResponse(status: 200, fields: fields, body: .none)
        }
        return HTTPResponse(status: 200, fields: fields, body: .buffer(file.bytes))
    }

    private func answer(_ fault: Fault) -> HTTPResponse {
        var response = Problem.response(fault)
        response.fields += safety
        return response
    }

    private static let nothing = Routes.nothing
    private static let readOnly = Fault(
        code: "APUS406", kind: .methodNotAllowed, message: "Files are only read.",
        fields: [HeaderField("Allow", "GET, HEAD")])
    private static let tooLarge = Fault(
        code: "APUS460", kind: .internal, message: "The file is larger than this server serves.",
        hint: "web-max-file bounds it.")
    private static let unavailable = Fault(
        code: "APUS503", kind: .unavailable, message: "The file cannot be read now.")
}

import ApusHTTP
import ApusPostgres
import ApusREST
import ApusRealtime
import ApusTokens
import NIOHTTP1

/// What the dialect makes of a request's header fields, without method and target: made once for all requests that come
/// with the same fields (``HTTPFields``).
final class RequestFields: Sendable {
    /// As the dialect reads them.
    let dialect: RESTRequest.Fields
    /// The same for `GET`, without what asks for more than one answer…
    let dialectOfRead: RESTRequest.Fields
    /// …which is here.
    let liveAsk: LiveAsk
    /// Who asks; nil: nobody.
    let bearer: Substring?
    /// Why it must not be served, whoever asks.
    let refusal: TokenFault?
    /// `Origin`
    let origin: String?
    /// `If-None-Match`, in as far as it is ours.
    let tags: [EntityTag]
    /// `Apus-Lsn`, or the cookie by which browsers bring it along; the later of both.
    let position: LSN?
    private let live: LiveReads?

    private init(_ headers: HTTPHeaders, _ live: LiveReads?) {
        var fields = RESTRequest.Fields()
        for (name, value) in headers { fields.add(name: name, value: value) }
        dialect = fields
        liveAsk = LiveAsk(takenFrom: &fields, live)
        dialectOfRead = fields
        bearer = Credentials.bearer(in: headers)
        refusal = Credentials.refusal(of: bearer, headers)
        origin = headers.first(name: "origin")
        tags = headers.first(name: "if-none-match").map(EntityTag.list) ?? []
        position = Self.position(said: headers)
        self.live = live
    }

    /// - Parameter live: whose settings bound what the fields can ask.
    static func of(_ request: HTTPRequest, _ live: LiveReads?) -> RequestFields {
        request.fields.memo(of: RequestFields.self) {
            $0.live === live
        } make: {
            RequestFields(request.headers, live)
        }
    }

    private static func position(said headers: HTTPHeaders) -> LSN? {
        var said = headers.first(name: "apus-lsn").flatMap { LSN($0) }
        for line in headers["cookie"] {
            for pair in line.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                guard pair.hasPrefix("apus-lsn=") else { continue }
                if let position = LSN(pair.dropFirst("apus-lsn=".count)) {
                    said = max(said ?? .zero, position)
                }
            }
        }
        return said
    }
}

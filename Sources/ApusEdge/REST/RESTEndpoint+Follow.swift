import ApusCatalog
import ApusDataAPI
import ApusFaults
import ApusPlanner
import ApusPostgres
import ApusREST
import ApusRealtime
import ApusTokens

/// A read that can be followed, whatever the connection.
struct FollowableRead: Sendable {
    let live: LiveReads
    /// Of the live reads' board.
    let version: UInt64
    let compiled: CompiledRequest
    let request: DataRequest
    /// nil: equal reads cannot be told to be equal.
    let shapeKey: [UInt8]?

    /// - Throws: APUS523 while changes cannot be followed, APUS526 for what is no read.
    init(
        _ live: LiveReads?, _ compiled: CompiledRequest, _ request: DataRequest, shapeKey: [UInt8]?
    ) throws(Fault) {
        guard let live else { throw LiveFault.noFeed(reason: nil) }
        guard compiled.changesNothing else { throw LiveFault.notARead }
        if let reason = live.reasonNotToFollow { throw LiveFault.noFeed(reason: reason) }
        self.live = live
        version = live.board.version
        self.compiled = compiled
        self.request = request
        self.shapeKey = shapeKey
    }

    /// Finds out what it depends on.
    func prepare() async { await live.reaches.find(ReadProfile.named(compiled)) }
}

extension CompiledRequest {
    /// A read of a table or view, or of a function that may be called again and again.
    var changesNothing: Bool {
        switch plan.work {
        case .read: true
        case .write: false
        case .call(let call, _): call.function.volatility != .volatile
        }
    }
}

/// Reads that are asked for by their URL.
extension RESTEndpoint {
    /// Whom a token stands for; without one, anybody.
    func identity(of token: String?) throws(Fault) -> LiveIdentity {
        let (principal, isAnonymous) = try identify(token.map { $0[...] })
        return LiveIdentity(principal: principal, isAnonymous: isAnonymous, token: token)
    }

    /// Understands what a `GET` of this URL would read.
    ///
    /// - Parameter url: a path below the prefix, with its query.
    /// - Throws: what the `GET` would be refused with, and what ``FollowableRead`` throws.
    func followable(
        _ url: String, profile: String?, for identity: LiveIdentity, _ context: LiveSocketContext
    ) throws(Fault) -> FollowableRead {
        let mark = url.firstIndex(of: "?") ?? url.endIndex
        let path = url[..<mark]
        guard path.hasPrefix(settings.prefix + "/") else { throw LiveSocketFault.notBelow(settings.prefix) }
        let request = RESTRequest(
            method: "GET", path: try PathSegments.read(path, below: settings.prefix),
            query: mark < url.endIndex ? Array(url[url.index(after: mark)...].utf8) : [],
            fields: .init(acceptProfile: profile, accept: ["application/json"]))
        var shape = RequestShape()
        let isKnown = reader.shape(of: request, into: &shape)
        let dataRequest = DataRequest(
            principal: identity.principal, isAnonymous: identity.isAnonymous,
            values: RequestValues(arena: shape.values.arena, ranges: shape.values.ranges), body: shape.body,
            context: context.reading(path.dropFirst(settings.prefix.count)))
        let key = isKnown ? shape.key : nil
        if isKnown, let known = try data.known(shape.key) {
            return try FollowableRead(live, known, dataRequest, shapeKey: key)
        }
        guard case .data(let intent) = try reader.ask(of: request, shape: shape) else {
            throw LiveFault.notARead
        }
        return try FollowableRead(
            live, try data.prepare(intent, key: key), dataRequest, shapeKey: key)
    }
}

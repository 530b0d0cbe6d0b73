/// The shape of a database at one moment: what can be read, written and called, and how it hangs together.
///
/// A value: made by introspection, never changed, swapped as a whole. Whoever works with it keeps the one it
/// started with.
package struct Catalog: Sendable {
    /// A cast that presents or receives a domain in another form (the dialect's domain representations).
    package struct Representation: Sendable, Hashable {
        package var sourceType: String
        package var targetType: String
        /// Qualified and quoted name of the casting function.
        package var function: String

        package init(sourceType: String, targetType: String, function: String) {
            self.sourceType = sourceType
            self.targetType = targetType
            self.function = function
        }
    }

    /// The two ends of a cast, as ``representations`` is keyed.
    package struct Conversion: Sendable, Hashable {
        package var source: String
        package var target: String

        package init(_ source: String, _ target: String) {
            self.source = source
            self.target = target
        }
    }

    /// What a custom media type handler takes.
    package enum HandlerInput: Sendable, Hashable {
        case relation(QualifiedName)
        /// `anyelement`: any relation.
        case anyElement
    }

    /// A custom media type: an aggregate (or a function's result) of a domain named after the media type.
    package struct MediaHandler: Sendable, Hashable {
        package var function: QualifiedName
        package var input: HandlerInput
        /// What the handler makes.
        package var mediaType: MediaType
        /// Whether `*/*` domains make it the answer to anything.
        package var handlesAny: Bool

        package init(
            function: QualifiedName, input: HandlerInput, mediaType: MediaType, handlesAny: Bool = false
        ) {
            self.function = function
            self.input = input
            self.mediaType = mediaType
            self.handlesAny = handlesAny
        }
    }

    /// Which `request.*` settings anything in the database reads. What nothing reads need not be sent.
    package struct RequestSettingsUse: Sendable, Hashable {
        package var headers: Bool
        package var cookies: Bool
        package var method: Bool
        package var path: Bool

        package init(headers: Bool = true, cookies: Bool = true, method: Bool = true, path: Bool = true) {
            self.headers = headers
            self.cookies = cookies
            self.method = method
            self.path = path
        }
    }

    /// Unique in this process; grows with each reload. Part of the key of everything cached from a catalog.
    package var version: UInt64
    /// `server_version_num`, for instance 180001.
    package var serverVersion: Int
    /// Exposed schemas with their comments.
    package var schemas: [String: String?]
    package var relations: [QualifiedName: Relation]
    /// Overloads by name, fewest parameters first.
    package var functions: [QualifiedName: [Function]]
    /// By source relation.
    package var relationships: [QualifiedName: [Relationship]]
    package var representations: [Conversion: Representation]
    package var mediaHandlers: [MediaHandler]
    /// Names that `Prefer: timezone` may name.
    package var timezones: Set<String>
    /// Settings of roles that a request of that role starts with (`alter role … set`).
    package var roleSettings: [String: [Function.Setting]]
    /// Isolation level by role (`alter role … set default_transaction_isolation`).
    package var roleIsolation: [String: String]
    package var requestSettingsUse: RequestSettingsUse
    /// Whether anything in the database may set `response.headers` or `response.status`. Where nothing does, nobody
    /// asks for them.
    package var mayShapeResponses: Bool
    /// Whether any function in the database may change a setting. Where none does, what one read leaves behind is
    /// what it found, and another may follow it in the same transaction.
    package var mayChangeSettings: Bool
    package var hasPostGIS: Bool

    package init(
        version: UInt64, serverVersion: Int, schemas: [String: String?] = [:],
        relations: [QualifiedName: Relation] = [:], functions: [QualifiedName: [Function]] = [:],
        relationships: [QualifiedName: [Relationship]] = [:],
        representations: [Conversion: Representation] = [:], mediaHandlers: [MediaHandler] = [],
        timezones: Set<String> = [], roleSettings: [String: [Function.Setting]] = [:],
        roleIsolation: [String: String] = [:], requestSettingsUse: RequestSettingsUse = .init(),
        mayShapeResponses: Bool = true, mayChangeSettings: Bool = true, hasPostGIS: Bool = false
    ) {
        self.version = version
        self.serverVersion = serverVersion
        self.schemas = schemas
        self.relations = relations
        self.functions = functions
        self.relationships = relationships
        self.representations = representations
        self.mediaHandlers = mediaHandlers
        self.timezones = timezones
        self.roleSettings = roleSettings
        self.roleIsolation = roleIsolation
        self.requestSettingsUse = requestSettingsUse
        self.mayShapeResponses = mayShapeResponses
        self.mayChangeSettings = mayChangeSettings
        self.hasPostGIS = hasPostGIS
    }
}

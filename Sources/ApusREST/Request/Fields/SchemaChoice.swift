/// The schema that a request is about (W3C, Content Negotiation by Profile).
struct SchemaChoice: Equatable {
    var schema: String
    /// Whether the client named it, or could have named another.
    var wasNegotiated: Bool

    init(of request: RESTRequest, settings: RESTSettings) throws(RequestFault) {
        let exposed = settings.schemas
        if let profile = request.profile {
            guard exposed.contains(profile) else { throw .unknownSchema(profile, exposed: exposed) }
            (schema, wasNegotiated) = (profile, true)
        } else {
            (schema, wasNegotiated) = (exposed.first ?? "public", exposed.count != 1)
        }
    }
}

extension RESTRequest {
    /// The field that names the schema: what is written says so by its content.
    var profile: String? {
        switch method {
        case "POST", "PUT", "PATCH", "DELETE": fields.contentProfile
        default: fields.acceptProfile
        }
    }
}

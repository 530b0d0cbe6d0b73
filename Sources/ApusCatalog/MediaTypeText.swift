extension MediaType {
    /// The media type as it stands in a header field, without `charset` (RFC 9110 §8.3.1).
    package var text: String {
        switch self {
        case .json: "application/json"
        case .geoJSON: "application/geo+json"
        case .csv: "text/csv"
        case .plainText: "text/plain"
        case .xml: "text/xml"
        case .openAPI: "application/openapi+json"
        case .urlEncoded: "application/x-www-form-urlencoded"
        case .octetStream: "application/octet-stream"
        case .any: "*/*"
        case .singleObject(let stripsNulls):
            "application/vnd.pgrst.object+json" + (stripsNulls ? ";nulls=stripped" : "")
        case .arrayWithoutNulls: "application/vnd.pgrst.array+json;nulls=stripped"
        case .plan(let inner, let format, let options):
            "application/vnd.pgrst.plan+\(format.rawValue); for=\"\(inner.text)\""
                + (options.isEmpty ? "" : "; options=" + options.map(\.rawValue).joined(separator: "|"))
        case .other(let text): text
        }
    }
}

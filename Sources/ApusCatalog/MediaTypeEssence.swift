extension MediaType {
    /// The media type that a bare `type/subtype` names, in any case (RFC 9110 §8.3.1); for instance a domain's
    /// name. One that the dialect does not know keeps its text, in lower case.
    package init(essence: String) {
        let essence = essence.lowercased()
        self =
            switch essence {
            case "application/json", "application/vnd.pgrst.array", "application/vnd.pgrst.array+json": .json
            case "application/geo+json": .geoJSON
            case "text/csv": .csv
            case "text/plain": .plainText
            case "text/xml": .xml
            case "application/openapi+json": .openAPI
            case "application/x-www-form-urlencoded": .urlEncoded
            case "application/octet-stream": .octetStream
            case "*/*": .any
            case "application/vnd.pgrst.object", "application/vnd.pgrst.object+json":
                .singleObject(stripsNulls: false)
            case "application/vnd.pgrst.plan", "application/vnd.pgrst.plan+text":
                .plan(of: .json, format: .text, options: [])
            case "application/vnd.pgrst.plan+json": .plan(of: .json, format: .json, options: [])
            default: .other(essence)
            }
    }
}

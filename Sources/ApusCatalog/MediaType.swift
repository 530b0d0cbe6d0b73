/// A media type with the parameters that the dialect knows (RFC 9110 §8.3.1).
package enum MediaType: Hashable, Sendable {
    case json
    case geoJSON
    case csv
    case plainText
    case xml
    case openAPI
    case urlEncoded
    case octetStream
    /// `*/*`
    case any
    /// `application/vnd.pgrst.object[+json]`
    case singleObject(stripsNulls: Bool)
    /// `application/vnd.pgrst.array+json;nulls=stripped`
    case arrayWithoutNulls
    /// `application/vnd.pgrst.plan`
    indirect case plan(of: MediaType, format: PlanFormat, options: [PlanOption])
    /// Any other, in lower case, without parameters.
    case other(String)

    package enum PlanFormat: String, Hashable, Sendable {
        case json
        case text
    }

    package enum PlanOption: String, Hashable, Sendable, CaseIterable {
        case analyze, verbose, settings, buffers, wal
    }
}

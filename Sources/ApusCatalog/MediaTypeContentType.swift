extension MediaType {
    /// The value of `Content-Type`: text types say that they are UTF-8.
    package var contentType: String {
        switch self {
        case .octetStream, .other: text
        default: text + "; charset=utf-8"
        }
    }
}

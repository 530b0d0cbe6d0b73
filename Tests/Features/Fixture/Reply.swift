import ApusFaults
import ApusHTTP
import NIOCore

/// What came back, as a test wants to look at it.
struct Reply: Sendable {
    let status: Int
    let fields: [(name: String, value: String)]
    let bytes: [UInt8]

    init(_ response: HTTPResponse) {
        status = response.status
        fields = response.fields.map { ($0.name, $0.value) }
        switch response.body {
        case .none, .stream, .webSocket: bytes = []
        case .bytes(let body): bytes = body
        case .buffer(let body): bytes = Array(body.readableBytesView)
        case .deferred(_, let write):
            var buffer = ByteBuffer()
            write(&buffer)
            bytes = Array(buffer.readableBytesView)
        }
    }

    /// The first field of that name, in any case of letters.
    func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The body as JSON.
    ///
    /// - Throws: when it is none.
    var json: JSON {
        get throws { try JSON(bytes) }
    }

    /// The code of an error's body, or what the body was instead.
    var code: String { (try? json["code"]?.text) ?? "no code in: \(text)" }

    /// The message of an error's body.
    var message: String { (try? json["message"]?.text) ?? "no message in: \(text)" }

    var details: JSON { (try? json["details"]) ?? "no details" }
    var hint: JSON { (try? json["hint"]) ?? "no hint" }
}

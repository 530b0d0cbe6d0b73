package import ApusDataAPI
import ApusHTTP
import ApusJSON
import NIOHTTP1

/// What the database may read of a request.
extension RESTCall: RequestContext {
    package var method: String { exchange.request.method.rawValue }

    package var path: String {
        let path = exchange.request.path.dropFirst(prefix.count)
        return path.isEmpty ? "/" : String(path)
    }

    package func headers() -> [UInt8] { Self.headers(exchange.request.headers) }

    package func cookies() -> [UInt8] { Self.cookies(exchange.request.headers) }

    /// Names in lower case, the last value of a name; cookies are shown apart.
    static func headers(_ headers: HTTPHeaders) -> [UInt8] {
        var values: [String: String] = [:]
        for (name, value) in headers {
            let name = name.lowercased()
            if name != "cookie" { values[name] = value }
        }
        return object(values)
    }

    /// RFC 6265 §4.2.1
    static func cookies(_ headers: HTTPHeaders) -> [UInt8] {
        var values: [String: String] = [:]
        for line in headers["cookie"] {
            for pair in line.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                guard let equals = pair.firstIndex(of: "=") else { continue }
                var value = pair[pair.index(after: equals)...]
                if value.count >= 2, value.first == "\"", value.last == "\"" {
                    value = value.dropFirst().dropLast()
                }
                values[String(pair[..<equals])] = String(value)
            }
        }
        return object(values)
    }

    private static func object(_ values: [String: String]) -> [UInt8] {
        var object = JSONObject()
        object.members = values.sorted { $0.key < $1.key }.map {
            .init(name: $0.key, value: .string($0.value))
        }
        return JSONValue.object(object).bytes
    }
}

import ApusDataAPI
import ApusHTTP
import ApusJSON
import NIOHTTP1

/// Makes what `request.method`, `request.path`, `request.headers` and `request.cookies` show of a request.
enum RequestContextMaker {
    static func context(of request: HTTPRequest, prefix: String) -> RequestContext {
        let headers = request.headers
        let path = request.path.dropFirst(prefix.count)
        return RequestContext(
            method: request.method.rawValue, path: path.isEmpty ? "/" : String(path),
            headers: { Self.headers(headers) }, cookies: { Self.cookies(headers) })
    }

    /// Names in lower case, the last value of a name; cookies are shown apart.
    private static func headers(_ headers: HTTPHeaders) -> [UInt8] {
        var values: [String: String] = [:]
        for (name, value) in headers {
            let name = name.lowercased()
            if name != "cookie" { values[name] = value }
        }
        return object(values)
    }

    /// RFC 6265 §4.2.1
    private static func cookies(_ headers: HTTPHeaders) -> [UInt8] {
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

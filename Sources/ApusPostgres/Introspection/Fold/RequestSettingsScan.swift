import ApusCatalog

/// Finds out which `request.*` settings SQL texts read.
///
/// Errs on the side of yes: what is sent in vain costs little, what is missed breaks a policy. A name that is
/// put together at run time (`'request.' || key`), or that comes from a caller (`current_setting(key)`), may be
/// any of them.
enum RequestSettingsScan {
    static func use(in texts: [String]) -> Catalog.RequestSettingsUse {
        var use = Catalog.RequestSettingsUse(headers: false, cookies: false, method: false, path: false)
        for text in texts {
            let bytes = lowercased(text)
            noteNames(in: bytes, &use)
            if readsAnySetting(bytes) { use = Catalog.RequestSettingsUse() }
        }
        return use
    }

    /// Whether anything may set `response.headers` or `response.status`: it mentions `response.`, or sets a
    /// setting whose name is not quoted where it stands.
    static func mayShapeResponses(_ texts: [String]) -> Bool {
        texts.contains { text in
            let bytes = lowercased(text)
            return bytes.firstRange(of: responseMarker) != nil || calls(setter, withExpressionIn: bytes)
        }
    }

    private static let marker = Array("request.".utf8)
    private static let responseMarker = Array("response.".utf8)
    private static let setter = Array("set_config".utf8)
    private static let reader = Array("current_setting".utf8)

    private static func readsAnySetting(_ text: [UInt8]) -> Bool { calls(reader, withExpressionIn: text) }

    /// Whether a function is called with anything but a quoted name as its first argument.
    private static func calls(_ function: [UInt8], withExpressionIn text: [UInt8]) -> Bool {
        var rest = text[...]
        while let start = rest.firstRange(of: function) {
            rest = rest[start.upperBound...].drop(while: isBlank)
            guard rest.first == UInt8(ascii: "(") else { continue }
            rest = rest.dropFirst().drop(while: isBlank)
            if let next = rest.first, next != UInt8(ascii: "'") { return true }
        }
        return false
    }

    private static func noteNames(in text: [UInt8], _ use: inout Catalog.RequestSettingsUse) {
        var rest = text[...]
        while let found = rest.firstRange(of: marker) {
            let name = rest[found.upperBound...].prefix(while: isNamePart)
            rest = rest[name.endIndex...]
            note(String(decoding: name, as: UTF8.self), before: rest.first, in: &use)
        }
    }

    /// - Parameter next: the byte after the name.
    private static func note(
        _ name: String, before next: UInt8?, in use: inout Catalog.RequestSettingsUse
    ) {
        switch name {
        case "header", "headers": use.headers = true
        case "cookie", "cookies": use.cookies = true
        case "method": use.method = true
        case "path": use.path = true
        case "":
            // A sentence in a comment may end in "request."; a name does not go on after a blank.
            guard let next, !isBlank(next) else { return }
            use = Catalog.RequestSettingsUse()
        default: break
        }
    }

    /// Names of settings and of functions are compared without case.
    private static func lowercased(_ text: String) -> [UInt8] {
        text.utf8.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte >= UInt8(ascii: "\t") && byte <= UInt8(ascii: "\r")
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte >= 0x80
    }
}

import ApusCatalog

/// Finds out which `request.*` settings SQL texts read.
///
/// Errs on the side of yes: what is sent in vain costs little, what is missed breaks a policy. A name that is
/// put together at run time (`'request.' || key`, `format('request.%s', key)`) may be any of them.
enum RequestSettingsScan {
    static func use(in texts: [String]) -> Catalog.RequestSettingsUse {
        var use = Catalog.RequestSettingsUse(headers: false, cookies: false, method: false, path: false)
        for text in texts {
            let bytes = Array(text.utf8)
            scan(bytes, into: &use)
            if readsSettingByExpression(bytes) { use = Catalog.RequestSettingsUse() }
        }
        return use
    }

    private static let marker = Array("request.".utf8)
    private static let reader = Array("current_setting".utf8)

    /// Whether `current_setting` is called with anything but a quoted name: then it may read any setting.
    private static func readsSettingByExpression(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        while let start = rest.firstRange(of: reader) {
            rest = rest[start.upperBound...].drop { $0 == UInt8(ascii: " ") }
            guard rest.first == UInt8(ascii: "(") else { continue }
            rest = rest.dropFirst().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            if let next = rest.first, next != UInt8(ascii: "'") { return true }
        }
        return false
    }

    private static func scan(_ text: [UInt8], into use: inout Catalog.RequestSettingsUse) {
        var position = 0
        while position + marker.count <= text.count {
            guard matches(text, at: position) else {
                position += 1
                continue
            }
            position += marker.count
            let start = position
            while position < text.count, isNamePart(text[position]) { position += 1 }
            let name = String(decoding: text[start..<position].map(lowercased), as: UTF8.self)
            note(name, before: position < text.count ? text[position] : nil, in: &use)
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
            guard let next, next != UInt8(ascii: " "), next != UInt8(ascii: "\n"), next != UInt8(ascii: "\r"),
                next != UInt8(ascii: "\t")
            else { return }
            use = Catalog.RequestSettingsUse()
        default: break
        }
    }

    private static func matches(_ text: [UInt8], at position: Int) -> Bool {
        for offset in marker.indices where lowercased(text[position + offset]) != marker[offset] {
            return false
        }
        return true
    }

    /// Names of settings are compared without case (PostgreSQL, "Setting Parameters").
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        let letter = lowercased(byte)
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z") || letter == UInt8(ascii: "_")
            || letter >= UInt8(ascii: "0") && letter <= UInt8(ascii: "9") || letter >= 0x80
    }
}

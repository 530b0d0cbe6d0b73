import ApusFaults
import ApusJSON

/// Reads `response.headers` and `response.status`, by which the database's code shapes a response.
enum ResponseSettings {
    /// - Throws: PGRST112 for anything that does not start with a number.
    static func status(from text: String) throws(Fault) -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let status = Int(digits), (100...599).contains(status) else {
            throw Fault(
                code: "PGRST112", kind: .internal,
                message: "response.status guc must be a valid status code")
        }
        return status
    }

    /// A JSON array of objects with one member each, whose value is a string.
    ///
    /// - Throws: PGRST111 for anything else, and for names or values that cannot stand in a header.
    static func fields(from json: [UInt8]) throws(Fault) -> [HeaderField] {
        let fault = Fault(
            code: "PGRST111", kind: .internal,
            message:
                "response.headers guc must be a JSON array composed of objects with a single key and a string value"
        )
        guard case .array(let items)? = try? JSONReader.read(json) else { throw fault }
        var fields: [HeaderField] = []
        for item in items {
            guard let members = item.object?.members, members.count == 1, let member = members.first,
                let value = member.value.text, isFieldName(member.name), isFieldValue(value)
            else { throw fault }
            fields.append(.init(member.name, value))
        }
        return fields
    }

    /// RFC 9110 §5.6.2: a token.
    static func isFieldName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !#"()<>@,;:\"/[]?={}"#.utf8.contains(byte)
            }
    }

    /// RFC 9110 §5.5: no line ends and no NUL, or a header could be smuggled in.
    static func isFieldValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
    }
}
